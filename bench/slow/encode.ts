// Loaded before the gateway by `--slow encode`: each tick costs more to encode.
import { QuoteEncoder } from '../../src/server/socket/quoteEncoder.js';
import { slowDown } from './patch.js';

slowDown(QuoteEncoder.prototype, 'actionFrame', 0.2);
