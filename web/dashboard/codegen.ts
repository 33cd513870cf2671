import { addTypenameSelectionDocumentTransform } from "@graphql-codegen/client-preset";
import type { CodegenConfig } from "@graphql-codegen/cli";

const config: CodegenConfig = {
  schema: "../../schema/schema.graphql",
  documents: "src/**/*.graphql",
  generates: {
    "src/api/generated/": {
      preset: "client",
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
    },
  },
};

export default config;
