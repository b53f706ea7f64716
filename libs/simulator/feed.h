// The ticks of a set of instruments in the order of their times: instrument models under one schedule.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "instrument_model.h"
#include "schedule.h"

namespace sim {

struct FeedSettings {
    uint64_t seed = 1;
    double ticksPerSecond = 2;   // of each instrument, at most 1000: one per step
    Arrivals arrivals = Arrivals::uniform;
    HoursMode hours = HoursMode::always;
    ModelSettings model;
    int64_t benchStartUs = -1;   // the bench encoding, from this instant on
};

/** One tick of the schedule. */
struct FeedEvent {
    int index;
    int64_t us;         // since the epoch
    int64_t sequence;   // in a bench run: the instrument's n-th tick
};

class Feed {
public:
    explicit Feed(const FeedSettings& settings, ProductTable products = builtInProducts());
    Feed(const Feed&) = delete;
    Feed& operator=(const Feed&) = delete;

    MarketHours& hours() { return hours_; }

    /** Adds a product, or puts another row in its place; what has been added of it stays as it was. */
    void setProduct(const std::string& code, Product product) { products_.insert_or_assign(code, std::move(product)); }
    const ProductTable& products() const { return products_; }

    /**
     * Index of an instrument, or -1 for an id that the model does not know. The same id gets the same index. `lastDay` is
     * its last trading day, in days since 1970-01-01, or -1 where its hours are always the same.
     */
    int add(std::string_view id, int64_t lastDay = -1);

    /** Index of an instrument that has been added, or -1. */
    int find(std::string_view id) const;

    const InstrumentModel& model(int index) const { return *entries_[static_cast<size_t>(index)].model; }
    size_t size() const { return entries_.size(); }

    /** Begins or stops to schedule an instrument; its first tick is the first one after `now` (ms). */
    void setActive(int index, bool active, int64_t now);

    /** Changes the rate of every instrument; ticks after `now` follow the new schedule. */
    void setRate(double ticksPerSecond, int64_t now);

    /** Ticks that are late by more than this are skipped but for the newest of each instrument. */
    void setLateLimit(int64_t ms) { lateLimitMs_ = ms; }

    /** The newest scheduled tick that is not after `now`; false when there is none. */
    bool newest(int index, int64_t now, FeedEvent& event);

    /** The tick of a step, whether one is scheduled for it or not. */
    void tickAt(int index, int64_t step, Tick& tick) { entries_[static_cast<size_t>(index)].model->tickAt(step, tick); }

    /** The tick of an event, with the bench encoding where there is one. */
    void tickOf(const FeedEvent& event, Tick& tick);

    /**
     * Takes the next due tick. False when none is due at `now`. After a pause, or when the clock was set, it continues
     * in the present.
     */
    bool next(int64_t now, FeedEvent& event);

    /** When the next tick is due, in ms; INT64_MAX when nothing is active. */
    int64_t nextDue() const;

private:
    struct Entry {
        std::unique_ptr<InstrumentModel> model;
        ScheduledLine line;
        Arrival arrival{};         // the next one of the schedule
        int64_t special = 0;       // ms; the next special tick
        bool active = false;
        uint32_t generation = 0;   // entries of the queue with another number are void
    };
    struct Due {
        int64_t us;
        int32_t index;
        uint32_t generation;
        bool operator<(const Due& other) const { return us > other.us; }
    };

    Due resume(int index, int64_t afterUs);
    Due dueOf(int index) const;
    void rebuild(int64_t now);
    void dropVoid();
    void replaceFront(const Due& due);

    uint64_t seed_;
    ProductTable products_;
    ModelSettings modelSettings_;
    MarketHours hours_;
    Schedule schedule_;
    int64_t lateLimitMs_;
    int64_t latestNow_ = 0;
    std::vector<Entry> entries_;
    std::unordered_map<std::string, int> indices_;
    std::vector<Due> queue_;       // binary heap, the earliest on top
};

}  // namespace sim
