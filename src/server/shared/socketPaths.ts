/**
 * Where WebSocket clients connect: both protocols on each path. The longer ones are those of TqSdk's own servers, for clients
 * whose address had its host changed alone.
 */
export const socketPaths: readonly string[] = ['/', '/t/md/front/mobile', '/t/nfmd/front/mobile'];

/** Where the instrument file is. */
export const symbolsPaths: readonly string[] = ['/symbols/latest.json', '/t/md/symbols/latest.json'];
