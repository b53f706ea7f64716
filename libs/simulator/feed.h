// Which instrument ticks when: the schedule over a set of instrument models.
//
// The schedule is a pure function as well. An instrument has one tick in each interval of the feed's period, at a
// hashed offset, so its step in interval k does not depend on when, or in which process, anyone began to look.
// Intervals are counted since the epoch; steps of neighbouring intervals differ by at least one ms.
#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "instrument_model.h"

namespace sim {

class Feed {
public:
    /** `ticksPerSecond` of each instrument, at most 1000: one per step. */
    Feed(uint64_t seed, double ticksPerSecond);

    /** Index of an instrument, or -1 for an id that the model does not know. The same id gets the same index. */
    int add(std::string_view id);

    /** Index of an instrument that has been added, or -1. */
    int find(std::string_view id) const;

    const InstrumentModel& model(int index) const { return *entries_[static_cast<size_t>(index)].model; }
    size_t size() const { return entries_.size(); }

    /** Begins or stops to schedule an instrument; its first tick is the first one after `now`. */
    void setActive(int index, bool active, int64_t now);

    /** Changes the rate of every instrument; ticks after `now` follow the new schedule. */
    void setRate(double ticksPerSecond, int64_t now);

    /** Step of the newest scheduled tick that is not after `now`. */
    int64_t newestStep(int index, int64_t now) const;

    void tickAt(int index, int64_t step, Tick& tick) { entries_[static_cast<size_t>(index)].model->tickAt(step, tick); }

    /**
     * Takes the next due tick: its instrument and step. False when none is due at `now`. Ticks that are late by more
     * than half a second are skipped but for the newest of each instrument, so a stopped process resumes in the present.
     */
    bool next(int64_t now, int& index, int64_t& step);

    /** When the next tick is due; INT64_MAX when nothing is active. */
    int64_t nextDue() const;

private:
    struct Entry {
        std::unique_ptr<InstrumentModel> model;
        bool active = false;
        uint32_t generation = 0;   // entries of the queue with another number are void
    };
    struct Due {
        int64_t step;
        int64_t interval;
        int32_t index;
        uint32_t generation;
        bool operator<(const Due& other) const { return step > other.step; }
    };

    int64_t stepIn(int index, int64_t interval) const;
    int64_t newestInterval(int index, int64_t now) const;
    void push(int index, int64_t interval);
    void rebuild(int64_t now);
    void dropVoid();

    uint64_t seed_;
    int64_t periodUs_;
    std::vector<Entry> entries_;
    std::unordered_map<std::string, int> indices_;
    std::vector<Due> queue_;       // binary heap, the earliest on top
};

}  // namespace sim
