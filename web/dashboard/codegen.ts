import { addTypenameSelectionDocumentTransform } from "@graphql-codegen/client-preset";
import type { CodegenConfig } from "@graphql-codegen/cli";

const typed = {
  preset: "client" as const,
  // What the cache would add by itself must be in the documents that the server is given.
  documentTransforms: [addTypenameSelectionDocumentTransform],
  presetConfig: {
    fragmentMasking: false,
    persistedDocuments: { hashPropertyName: "hash", hashAlgorithm: "sha256", mode: "embedHashInDocument" },
  },
  config: {
    enumsAsTypes: true,
    useTypeImports: true,
    strictScalars: true,
    scalars: { DateTime: "string", LogPosition: "string", JSON: "unknown" },
  },
};

const config: CodegenConfig = {
  schema: "../../schema/schema.graphql",
  generates: {
    "src/api/generated/": { documents: ["src/**/*.graphql", "!src/webhooks/**"], ...typed },
    // Apart, so that what only few screens ask is not in the first load.
    "src/webhooks/generated/": { documents: "src/webhooks/**/*.graphql", ...typed },
  },
};

export default config;
