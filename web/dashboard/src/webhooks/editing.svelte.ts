// A webhook while somebody writes it: what the server has, what is typed, and what stands in the way of saving it.
import { client, troubleOf, type Trouble } from "../api/client";
import { problemOf } from "../issue/actions";
import { texts } from "../texts";
import {
  CreateWebhookDocument,
  DeleteWebhookDocument,
  UpdateWebhookDocument,
  WebhookDocument,
  type KeptFragment,
  type WebhookQuery,
  type WrongFragment,
} from "./generated/graphql";
import { listIn } from "./words";

export type Whole = NonNullable<WebhookQuery["webhook"]>;
interface Answer {
  webhook: KeptFragment | null | undefined;
  problems: WrongFragment[];
  userErrors: { code: string; field: string[]; message: string }[];
}

// What was typed and not saved, while this page is open: one comes back to it from other screens.
const drafts = new Map<string, Editing>();
globalThis.addEventListener?.("beforeunload", (event) => {
  if ([...drafts.values()].some(({ isChanged }) => isChanged)) event.preventDefault();
});

export class Editing {
  phase = $state<"loading" | "ready" | "missing" | "failed">("loading");
  trouble = $state<Trouble | null>(null);
  isSaving = $state(false);
  /** What the server has, as the writer has seen it; null for a new one. */
  kept = $state.raw<KeptFragment | null>(null);
  versions = $state.raw<Whole["versions"]>([]);
  /** What somebody else has saved meanwhile. */
  theirs = $state.raw<KeptFragment | null>(null);
  /** What the server said of the last try to save. */
  problems = $state.raw<readonly WrongFragment[]>([]);
  errors = $state.raw<readonly string[]>([]);

  name = $state("");
  namespaces = $state("");
  definition = $state("");
  secret = $state("");
  dropsSecrets = $state(false);
  #isDeleted = $state(false);
  enabled = $state(true);
  keepBodies = $state(true);

  /** Of the webhook of that name; "" begins a new one. */
  constructor(name: string) {
    if (name) void this.#load(name);
    else this.phase = "ready";
  }

  /** The one that was left without saving, else a new one of the webhook of that name; `template` tells new ones apart. */
  static of(name: string, template: string): Editing {
    return drafts.get(name || `?${template}`) ?? new Editing(name);
  }

  /** The writer looks at something else. What was typed as a secret is forgotten. */
  leave(name: string, template: string): void {
    this.secret = "";
    if (this.isChanged) drafts.set(name || `?${template}`, this);
    else drafts.delete(name || `?${template}`);
  }

  get isChanged(): boolean {
    const kept = this.kept;
    if (this.#isDeleted) return false;
    if (this.secret || this.dropsSecrets) return true;
    if (!kept) return this.definition !== "";
    return (
      this.definition !== kept.definition ||
      listIn(this.namespaces).join() !== kept.namespaces.join() ||
      this.enabled !== kept.enabled ||
      this.keepBodies !== kept.keepBodies
    );
  }

  /** Saves it; the webhook as it is then, or null: `problems`, `errors` or `theirs` say why. */
  async save(): Promise<KeptFragment | null> {
    this.isSaving = true;
    this.problems = [];
    this.errors = [];
    const answer = this.kept ? await this.#update(this.kept) : await this.#create();
    this.isSaving = false;
    if (!answer) return null;
    if (this.kept && answer.userErrors.some(({ code }) => code === "CONFLICT")) {
      await this.#showTheirs(this.kept);
      return null;
    }
    this.problems = answer.problems;
    this.errors = answer.userErrors.map(({ field, message }) => [field.join("."), message].filter(Boolean).join(": "));
    if (!answer.webhook) return null;
    this.#take(answer.webhook);
    void this.#history(answer.webhook.name);
    return answer.webhook;
  }

  /** Drops what was typed. */
  drop(): void {
    if (this.kept) this.#take(this.kept);
    this.errors = [];
  }

  /** Goes on from what somebody else has saved, and drops what was typed. */
  takeTheirs(): void {
    if (this.theirs) this.#take(this.theirs);
  }

  /** Saves what was typed as the version after theirs. */
  saveOverTheirs(): Promise<KeptFragment | null> {
    this.kept = this.theirs;
    this.theirs = null;
    return this.save();
  }

  /** Deletes it for good, in the version that the writer has seen: null then, else what stood in the way. */
  async remove(): Promise<string | null> {
    const kept = this.kept;
    if (!kept) return texts.editor.missing;
    const input = { name: kept.name, expectedVersion: (this.theirs ?? kept).version };
    const done = await client.mutation(DeleteWebhookDocument, { input }).toPromise();
    if (done.data?.deleteWebhook?.userErrors.some(({ code }) => code === "CONFLICT")) {
      await this.#showTheirs(kept);
      const { theirs } = this;
      return theirs ? texts.editor.notDeleted(theirs.version, theirs.updatedBy.name) : texts.editor.missing;
    }
    const why = problemOf(done);
    this.#isDeleted = why === null;
    return why;
  }

  #asked(name: string) {
    return client.query(WebhookDocument, { name }, { requestPolicy: "network-only" }).toPromise();
  }

  async #load(name: string): Promise<void> {
    const { data, error } = await this.#asked(name);
    if (error) {
      this.trouble = troubleOf(error);
      this.phase = "failed";
    } else if (data?.webhook) {
      this.#take(data.webhook);
      this.versions = data.webhook.versions;
      this.phase = "ready";
    } else {
      this.phase = "missing";
    }
  }

  async #history(name: string): Promise<void> {
    const { data } = await this.#asked(name);
    this.versions = data?.webhook?.versions ?? this.versions;
  }

  async #showTheirs(kept: KeptFragment): Promise<void> {
    const { data, error } = await this.#asked(kept.name);
    if (data?.webhook && data.webhook.version !== kept.version) {
      this.theirs = data.webhook;
      this.versions = data.webhook.versions;
    } else {
      this.errors = [error ? texts.trouble[troubleOf(error)].title : texts.editor.missing];
    }
  }

  async #create(): Promise<Answer | null> {
    const input = { name: this.name.trim(), ...this.#typed(), secrets: this.secret ? [this.secret] : [] };
    const { data, error } = await client.mutation(CreateWebhookDocument, { input }).toPromise();
    return this.#answered(data?.createWebhook, error);
  }

  async #update({ name, version }: KeptFragment): Promise<Answer | null> {
    const secrets = this.dropsSecrets ? { secrets: this.secret ? [this.secret] : [] } : this.secret ? { newSecret: this.secret } : {};
    const input = { name, expectedVersion: version, ...this.#typed(), ...secrets };
    const { data, error } = await client.mutation(UpdateWebhookDocument, { input }).toPromise();
    return this.#answered(data?.updateWebhook, error);
  }

  #typed() {
    const { definition, enabled, keepBodies } = this;
    return { definition, enabled, keepBodies, namespaces: listIn(this.namespaces) };
  }

  #answered(answer: Answer | null | undefined, error: Parameters<typeof troubleOf>[0] | undefined): Answer | null {
    if (answer) return answer;
    const { title, text } = texts.trouble[error ? troubleOf(error) : "failed"];
    this.errors = [`${title}. ${text}`];
    return null;
  }

  #take(webhook: KeptFragment): void {
    this.kept = webhook;
    this.theirs = null;
    this.name = webhook.name;
    this.namespaces = webhook.namespaces.join(", ");
    this.definition = webhook.definition;
    this.enabled = webhook.enabled;
    this.keepBodies = webhook.keepBodies;
    this.secret = "";
    this.dropsSecrets = false;
  }
}
