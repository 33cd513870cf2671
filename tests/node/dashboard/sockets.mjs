// The sockets of a page, which can be cut off.

/** Watches over the page's sockets from its next load on: `cut` closes them and lets none be opened, until `mend`. */
export async function cuttable(page) {
  const open = new Set();
  let isBlocked = false;
  await page.routeWebSocket(/\/graphql$/, (socket) => {
    if (isBlocked) {
      socket.close({ code: 1013 });
      return;
    }
    open.add(socket);
    socket.connectToServer().onClose(() => open.delete(socket));
  });
  return {
    cut: async () => {
      isBlocked = true;
      for (const socket of open) await socket.close({ code: 1012 });
    },
    mend: () => {
      isBlocked = false;
    },
  };
}
