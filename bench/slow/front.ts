// Loaded before the simulated fronts by `--slow front`: each turn that sends is late.
import { Outbox } from '../../src/simulator/outbox.js';
import { slowDown } from './patch.js';

slowDown(Outbox.prototype, 'flush', 3);
