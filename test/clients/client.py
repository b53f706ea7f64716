"""
One of TqSdk's clients, unmodified, at work with a gateway. Prints a JSON line for each thing that it does, and asks the
program that has started it for what happens outside: {"ask": "restart"} is answered by a line on its standard input.
"""

import json
import math
import re
import sys
import time

setup = json.loads(sys.argv[1])
symbols = setup["symbols"]
future, other, late, option = symbols["future"], symbols["other"], symbols["late"], symbols["option"]
kind = setup["kind"]
is_new = kind != "1.8.2"
with_queries = kind == "default"

from tqsdk import TqApi, TqSim, __version__  # noqa: E402


def tell(**what):
    print(json.dumps(what, ensure_ascii=False, default=str), flush=True)


def ask(what):
    tell(ask=what)
    sys.stdin.readline()


def connect():
    if not is_new:
        return TqApi(TqSim(), _ins_url=setup["ins_url"], _md_url=setup["md_url"])
    from tqsdk import TqAuth

    # The addresses come from TQ_AUTH_URL, TQ_MD_URL and TQ_INS_URL.
    more = {} if with_queries else {"_stock": False}
    return TqApi(TqSim(), auth=TqAuth("anybody", "anything"), disable_print=True, **more)


def wait(api, done, seconds=60):
    deadline = time.time() + seconds
    while not done():
        api.wait_update(deadline=deadline)
        if time.time() >= deadline:
            raise AssertionError("waited %d s" % seconds)


def step(name, work):
    started = time.time()
    try:
        detail = work()
    except BaseException as error:  # whatever the client raises, the next step is to be tried
        tell(step=name, ok=False, detail="%s: %s" % (type(error).__name__, error))
        return
    tell(step=name, ok=True, detail=detail, seconds=round(time.time() - started, 1))


def check(what, holds):
    if not holds:
        raise AssertionError(what)


def construct():
    global api
    api = connect()
    return __version__


def quote():
    q = api.get_quote(future)
    check("datetime %s" % q.datetime, re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{6}", q.datetime))
    check("last_price %s" % q.last_price, q.last_price > 0)
    check("price_tick %s, volume_multiple %s" % (q.price_tick, q.volume_multiple), (q.price_tick, q.volume_multiple) == (1, 10))
    check("max_limit_order_volume %s" % q.max_limit_order_volume, q.max_limit_order_volume == 500)
    if is_new:
        check("instrument_name '%s'" % q.instrument_name, q.instrument_name.startswith("螺纹钢"))
    return "%s %s %s" % (future, q.datetime, q.last_price)


def changes():
    q = api.get_quote(future)
    seen = 0
    deadline = time.time() + 30
    while seen < 5:
        check("5 changes in 30 s, only %d" % seen, api.wait_update(deadline=deadline))
        if api.is_changing(q, "datetime"):
            seen += 1
    return "5 ticks"


def quotes():
    found = api.get_quote_list(symbols["list"]) if is_new else [api.get_quote(each) for each in symbols["list"]]
    wait(api, lambda: all(q.datetime != "" for q in found))
    return "%d instruments" % len(found)


def option_quote():
    q = api.get_quote(option)
    wait(api, lambda: q.datetime != "")
    check("price_tick %s" % q.price_tick, q.price_tick == 0.5)
    check("underlying_symbol %s" % q.underlying_symbol, q.underlying_symbol == symbols["underlying"])
    return "%s, price step %s" % (option, q.price_tick)


def unknown():
    # By a client of its own, since an error of a query ends it.
    with connect() as another:
        started = time.time()
        try:
            another.get_quote("SHFE.rb9913")
        except Exception as error:
            check("it took %.1f s" % (time.time() - started), time.time() - started < 15)
            return str(error)[:120]
        raise AssertionError("an instrument that does not exist has a quote")


def late_tick():
    ask("pause")
    q = api.get_quote(late)
    wait(api, lambda: q.datetime != "")
    return "%s %s" % (late, q.datetime)


def order():
    q = api.get_quote(future)
    sent = api.insert_order(future, "BUY", "OPEN", 1, q.upper_limit)
    wait(api, lambda: sent.status == "FINISHED")
    position = api.get_position(future)
    if sent.last_msg == "下单失败, 不在可交易时间段内":
        return "outside 07:00 to 18:00 and 21:00 to 05:30 it can only be refused: " + sent.last_msg
    wait(api, lambda: position.volume_long == 1, 10)
    account = api.get_account()
    check("margin %s" % account.margin, account.margin > 0 and not math.isnan(account.margin))
    check("commission %s" % account.commission, account.commission > 0)
    return "%s, margin %s, commission %s" % (sent.last_msg, account.margin, account.commission)


def charts():
    bars = api.get_kline_serial(future, 60)
    ticks = api.get_tick_serial(future)
    both = api.get_kline_serial([future, other], 60)
    check("a price without a bar", math.isnan(bars.close.iloc[-1]) and math.isnan(both.close1.iloc[-1]))
    changes()
    return "%d, %d and %d rows" % (len(bars), len(ticks), len(both))


def restart():
    q = api.get_quote(future)
    before = q.datetime
    ask("restart")
    wait(api, lambda: q.datetime > before, 120)
    changes()
    return "%s, then %s" % (before, q.datetime)


def query_instruments():
    found = api.query_quotes(ins_class="FUTURE", exchange_id="SHFE", product_id="rb", expired=False)
    check("query_quotes: %s" % found, future in found and all(each.startswith("SHFE.rb") for each in found))
    every = api.query_quotes(ins_class="FUTURE")
    check("query_quotes of all: %d" % len(every), len(every) > len(found))
    check("no main contracts", api.query_cont_quotes() == [])
    info = api.query_symbol_info([future, option])
    check("query_symbol_info: %s" % info, list(info.instrument_id) == [future, option])
    check("classes %s" % list(info.ins_class), list(info.ins_class) == ["FUTURE", "OPTION"])
    options = api.query_options(symbols["underlying"])
    check("query_options: %s" % options, option in options)
    return "%d rb of %d futures, %d options" % (len(found), len(every), len(options))


step("construct", construct)
step("quote", quote)
step("changes", changes)
step("quote list", quotes)
step("option without an imported price step", option_quote)
step("unknown id", unknown)
step("late first tick", late_tick)
if with_queries:
    step("instrument queries", query_instruments)
step("order at TqSim", order)
step("restart of the gateway", restart)
step("charts", charts)
step("restart of the gateway with charts", restart)
step("end", lambda: api.close())
