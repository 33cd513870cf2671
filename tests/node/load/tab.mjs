// A tab that nothing is told of but what is asked for: playwright's own pages report each message of a socket, which costs
// the browser more than the page does.
const POLL_MS = 50;
const WAIT_MS = 60_000;

/** `const tab = await opened(browser, url)`; it is closed with the browser. */
export async function opened(browser, url) {
  const session = await browser.newBrowserCDPSession();
  const { targetId } = await session.send("Target.createTarget", { url: "about:blank", width: 1280, height: 800 });
  const { sessionId } = await session.send("Target.attachToTarget", { targetId, flatten: false });
  const waiting = new Map();
  let last = 0;
  session.on("Target.receivedMessageFromTarget", ({ message }) => {
    const { id, result, error } = JSON.parse(message);
    waiting.get(id)?.(error ? Promise.reject(new Error(error.message)) : result);
    waiting.delete(id);
  });
  const send = async (method, params = {}) => {
    const id = (last += 1);
    const answer = new Promise((done) => waiting.set(id, done));
    await session.send("Target.sendMessageToTarget", { sessionId, message: JSON.stringify({ id, method, params }) });
    return answer;
  };
  const tab = new Tab(send);
  await send("Performance.enable");
  await send("Page.navigate", { url });
  return tab;
}

class Tab {
  constructor(send) {
    this.send = send;
  }

  /** What a function gives in the page. */
  async evaluate(run, argument) {
    const expression = `(${run})(${JSON.stringify(argument) ?? ""})`;
    const answer = await this.send("Runtime.evaluate", { expression, awaitPromise: true, returnByValue: true });
    if (answer.exceptionDetails) throw new Error(answer.exceptionDetails.exception?.description ?? "the page has thrown");
    return answer.result.value;
  }

  /** Waits for an element. */
  async waitFor(selector) {
    const isThere = (wanted) => Boolean(document.querySelector(wanted));
    const until = Date.now() + WAIT_MS;
    while (!(await this.evaluate(isThere, selector))) {
      if (Date.now() > until) throw new Error(`there is no ${selector}`);
      await new Promise((done) => setTimeout(done, POLL_MS));
    }
  }

  /** After its garbage was collected: bytes of JavaScript, DOM nodes; and the seconds that its thread has worked. */
  async held() {
    // Twice: what the first one finalizes is freed by the second.
    for (let turn = 0; turn < 2; turn += 1) await this.send("HeapProfiler.collectGarbage");
    const { metrics } = await this.send("Performance.getMetrics");
    const value = (name) => metrics.find((metric) => metric.name === name).value;
    return { bytes: value("JSHeapUsedSize"), nodes: value("Nodes"), worked: value("TaskDuration") };
  }
}
