// Loaded before the gateway by `--slow book`: each tick costs more in the quote book.
import { QuoteBook } from '../../src/market/quotes/quoteBook.js';
import { slowDown } from './patch.js';

slowDown(QuoteBook.prototype, 'apply', 0.2);
