/**
 * Prints quotes that TqSdk for JavaScript gets from a gateway, one line of JSON for each change.
 *
 *   node quotes.mjs HOST:PORT INSTRUMENT|SEARCH...
 *
 * An argument with a dot is an instrument (SHFE.rb2701); any other is searched for in ids, product codes and pinyin (rb,
 * lwg, luowengang), and of what is found the first is taken. Needs `npm install tqsdk@1.3.1 ws`.
 */
import console from 'node:console';
import process from 'node:process';
import TQSDK from 'tqsdk/dist/umd/tqsdk-nocache.js';
import WebSocket from 'ws';

const [address, ...wishes] = process.argv.slice(2);
if (address === undefined || wishes.length === 0) {
  console.error('usage: node quotes.mjs HOST:PORT INSTRUMENT|SEARCH...');
  process.exit(2);
}

const tqsdk = new TQSDK(
  {
    wsQuoteUrl: `ws://${address}/`,
    symbolsServerUrl: `http://${address}/symbols/latest.json`,
    // Otherwise it also asks its maker's server for a list of brokers to trade with.
    autoInit: false,
  },
  // It gives up for good after so many reconnections in its life, 2 by default.
  { WebSocket, reconnectInterval: 1000, reconnectMaxTimes: 1e9 },
);

/** Version 1.3.1 takes its subscription for sent after it has connected again, and the server never hears of it. */
function subscribeAfterReconnect({ quotesWs }) {
  quotesWs.on('reconnect', () => {
    const request = quotesWs.subscribe_quote;
    if (request === null) return;
    quotesWs.subscribe_quote = null;
    quotesWs.send(request);
  });
}

/** Instruments by what was wished for; only from 'ready' on are there any. */
const quotes = new Map();

tqsdk.on('ready', () => {
  for (const wish of wishes) {
    const found = wish.includes('.') ? [wish] : tqsdk.getQuotesByInput(wish);
    console.log(JSON.stringify({ wish, found }));
    if (found.length > 0) quotes.set(found[0], tqsdk.getQuote(found[0]));
  }
});

tqsdk.on('rtn_data', () => {
  for (const [symbol, quote] of quotes) {
    if (quote.datetime !== '' && tqsdk.isChanging(quote))
      console.log(JSON.stringify({ symbol, last_price: quote.last_price, quote }));
  }
});

tqsdk.on('error', (error) => {
  console.error(`the instrument file could not be had: ${error.message}`);
  process.exitCode = 1;
});

tqsdk.initMdWebsocket();
subscribeAfterReconnect(tqsdk);
