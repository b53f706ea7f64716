// Loaded before the simulated fronts by `--slow front`: each turn that sends is late.
import { SendQueue } from '../../src/simulator/outbox.js';
import { slowDown } from './patch.js';

slowDown(SendQueue.prototype, 'flush', 3);
