// What a page holds after its garbage was collected.

/** `await heapOf(page)` gives the bytes of its JavaScript, and its DOM nodes. */
export async function heapOf(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  // Twice: what the first one finalizes is freed by the second.
  for (let turn = 0; turn < 2; turn += 1) await session.send("HeapProfiler.collectGarbage");
  const { metrics } = await session.send("Performance.getMetrics");
  await session.detach();
  const value = (name) => metrics.find((metric) => metric.name === name).value;
  return { bytes: value("JSHeapUsedSize"), nodes: value("Nodes") };
}
