// Takes the tick model through its settings, over days and at any moment, for the sanitizers to watch. Two threads do
// the same with feeds of their own and must come to the same result. Prints the number of ticks.
#include <cstdio>
#include <cstring>
#include <future>
#include <random>

#include "feed.h"
#include "shanghai_time.h"

namespace {

using namespace sim;

/** 2026-11-20, a Friday, 19:59 in Shanghai: a minute before a trading day that begins over a weekend. */
constexpr int64_t start = 1795175940000;
constexpr int32_t holidays[] = {20783, 20784};
constexpr int steps = 1500;
constexpr int momentsPerFeed = 2000;
constexpr const char* ids[] = {"rb2701",        "au2612",     "sc2702",       "m2705",        "l2701F",
                               "SR701",         "IF2612",     "T2703",        "si2701",       "ec2702",
                               "cu2701C70000",  "m2705-C-3000", "SR701P5400", "IO2612-P-4000", "si2701-C-12000",
                               "m2705-MS-P-2900", "nothing",   "",             "rb2713",       "SP m2701&m2705"};

struct Result {
    uint64_t hash = 14695981039346656037u;
    long ticks = 0;

    void add(const Tick& tick) {
        unsigned char bytes[sizeof tick];
        std::memcpy(bytes, &tick, sizeof tick);
        for (const unsigned char byte : bytes) hash = (hash ^ byte) * 1099511628211u;
        ++ticks;
    }
};

/** A night of each length, as many sessions as a day may have, and a single minute. */
void giveHours(Feed& feed) {
    const auto change = [&](const char* code, auto&& how) {
        Product product = feed.products().find(code)->second;
        how(product);
        feed.setProduct(code, product);
    };
    change("rb", [](Product& product) { product.hours.nightMinutes = 120; });
    change("au", [](Product& product) { product.hours.nightMinutes = 330; });
    change("IF", [](Product& product) { product.hours = {2, {{570, 690}, {780, 900}}, 0}; });
    change("T", [](Product& product) {
        product.hours = {2, {{570, 690}, {780, 915}}, 0};
        product.lastDayHours = {1, {{570, 690}}, 0};
    });
    change("si", [](Product& product) {
        product.hours = {6, {{420, 480}, {500, 560}, {580, 640}, {660, 720}, {740, 800}, {1000, 1080}}, 240};
    });
    change("cu", [](Product& product) { product.hours = {1, {{600, 601}}, 0}; });
}

/**
 * A stretch of days with pauses, steps back and changes of rate, then single ticks of any year. A bench run, whose
 * ticks are counted from its beginning, lasts minutes and has one rate.
 */
void exercise(const FeedSettings& settings, Result& result) {
    const bool bench = settings.benchStartUs >= 0;
    const uint64_t longestStepMs = bench ? 50 : 200000;
    Feed feed(settings);
    feed.hours().setHolidays(holidays, std::size(holidays));
    giveHours(feed);
    // Every other one has its last day three days after the start.
    int64_t lastDay = -1;
    for (const char* id : ids) feed.add(id, lastDay = lastDay < 0 ? 20780 : -1);
    const int count = static_cast<int>(feed.size());
    std::mt19937_64 random(settings.seed);
    Tick tick{};
    int64_t now = start;
    for (int step = 0; step < steps; ++step) {
        const int index = static_cast<int>(random() % static_cast<uint64_t>(count));
        if (step % 7 == 0) feed.setActive(index, step % 3 != 0, now);
        if (!bench && step % 501 == 500) feed.setRate(static_cast<double>(random() % 40), now);
        FeedEvent event{};
        for (int i = 0; i < 16 && feed.next(now, event); ++i) {
            feed.tickOf(event, tick);
            result.add(tick);
        }
        if (feed.newest(index, now, event)) {
            feed.tickOf(event, tick);
            result.add(tick);
        }
        now += static_cast<int64_t>(random() % longestStepMs);
        if (step % 1000 == 999) now -= bench ? 1000 : msPerDay;
    }
    for (int i = 0; i < momentsPerFeed; ++i) {
        feed.tickAt(i % count, start + static_cast<int64_t>(random() % (2000 * msPerDay)) - 1000 * msPerDay, tick);
        result.add(tick);
    }
}

Result exerciseAll() {
    Result result;
    for (const Arrivals arrivals : {Arrivals::uniform, Arrivals::poisson, Arrivals::burst}) {
        for (const HoursMode hours : {HoursMode::always, HoursMode::exchange}) {
            for (const int64_t bench : {int64_t{-1}, start * 1000}) {
                FeedSettings settings;
                settings.seed = static_cast<uint64_t>(result.ticks) + 1;
                settings.arrivals = arrivals;
                settings.hours = hours;
                settings.benchStartUs = bench;
                settings.model.limitShare = 0.3;
                settings.model.levels = bench < 0 ? 5 : 1;
                exercise(settings, result);
            }
        }
    }
    return result;
}

}  // namespace

int main() {
    auto other = std::async(std::launch::async, exerciseAll);
    const Result mine = exerciseAll();
    const Result theirs = other.get();
    std::printf("%ld\n", mine.ticks);
    if (mine.hash == theirs.hash && mine.ticks == theirs.ticks) return 0;
    std::fprintf(stderr, "two threads came to different ticks\n");
    return 1;
}
