// Loaded before the gateway by `--slow write`: each batch takes longer to reach the sockets.
import { MarketServer } from '../../src/server/marketServer.js';
import { slowDown } from './patch.js';

slowDown(MarketServer.prototype, 'onBatchEnd', 3);
