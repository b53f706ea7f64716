// libqactpmd_model.so: the tick model as a flat C interface for the simulated fronts.
//
// A feed is used by one thread. Ticks come out as whole frames of the wire protocol (wire.h), back to back.
#include <cstring>

#include "feed.h"
#include "wire.h"

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

constexpr size_t longestFrame = sim::wire::headerBytes + sizeof(sim::Tick) + sim::maxIdLength;

/** Writes the frame of one tick and returns its length. */
size_t writeTick(sim::Feed& feed, int index, int64_t step, uint8_t* out) {
    sim::Tick tick;
    feed.tickAt(index, step, tick);
    const std::string& id = feed.model(index).spec().id;
    const uint32_t length = static_cast<uint32_t>(sizeof tick + id.size());
    out[0] = sim::wire::magic0;
    out[1] = sim::wire::magic1;
    out[2] = sim::wire::version;
    out[3] = static_cast<uint8_t>(sim::wire::Type::tick);
    std::memcpy(out + 4, &length, sizeof length);
    std::memcpy(out + sim::wire::headerBytes, &tick, sizeof tick);
    std::memcpy(out + sim::wire::headerBytes + sizeof tick, id.data(), id.size());
    return sim::wire::headerBytes + length;
}

bool has(const sim::Feed* feed, int index) {
    return feed != nullptr && index >= 0 && static_cast<size_t>(index) < feed->size();
}

}  // namespace

/** Longest frame that qm_tick and qm_collect write, in bytes. */
EXPORT int qm_longest_frame() {
    return static_cast<int>(longestFrame);
}

EXPORT sim::Feed* qm_feed_new(uint64_t seed, double ticksPerSecond) {
    return new sim::Feed(seed, ticksPerSecond);
}

EXPORT void qm_feed_free(sim::Feed* feed) {
    delete feed;
}

/** Index of an instrument, -1 for an id that the model does not know. */
EXPORT int qm_add(sim::Feed* feed, const char* id) {
    return feed == nullptr || id == nullptr ? -1 : feed->add(id);
}

EXPORT void qm_set_active(sim::Feed* feed, int index, int active, double now) {
    if (has(feed, index)) feed->setActive(index, active != 0, static_cast<int64_t>(now));
}

/** Step of an instrument's newest scheduled tick, in ms since the epoch; -1 for a wrong index. */
EXPORT double qm_newest_step(sim::Feed* feed, int index, double now) {
    return has(feed, index) ? static_cast<double>(feed->newestStep(index, static_cast<int64_t>(now))) : -1;
}

/** Writes the frame of one tick; its length, 0 for a wrong index. */
EXPORT int qm_tick(sim::Feed* feed, int index, double step, uint8_t* out) {
    return has(feed, index) ? static_cast<int>(writeTick(*feed, index, static_cast<int64_t>(step), out)) : 0;
}

/**
 * Takes up to `limit` due ticks: instrument indices, the end of each frame in `frames`, and the frames themselves,
 * for which there must be room for `limit` longest ones. The number taken; less than `limit` means nothing is due.
 */
EXPORT int qm_collect(sim::Feed* feed, double now, int limit, int32_t* indices, uint32_t* ends, uint8_t* frames) {
    int taken = 0;
    size_t length = 0;
    int index = 0;
    int64_t step = 0;
    while (taken < limit && feed->next(static_cast<int64_t>(now), index, step)) {
        length += writeTick(*feed, index, step, frames + length);
        indices[taken] = index;
        ends[taken] = static_cast<uint32_t>(length);
        ++taken;
    }
    return taken;
}

/** When the next tick is due, in ms since the epoch; -1 when nothing is active. */
EXPORT double qm_next_due(sim::Feed* feed) {
    const int64_t due = feed->nextDue();
    return due == INT64_MAX ? -1 : static_cast<double>(due);
}
