#include "feed.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include "hash.h"

namespace sim {
namespace {

constexpr uint64_t saltSchedule = 101;
constexpr int64_t usPerMs = 1000;
constexpr int64_t lateLimitMs = 500;
constexpr int64_t longestPeriodUs = 3600LL * 1000 * 1000;

int64_t periodOf(double ticksPerSecond) {
    if (!(ticksPerSecond > 0)) return longestPeriodUs;
    const double us = std::round(1e6 / ticksPerSecond);
    return static_cast<int64_t>(std::clamp(us, static_cast<double>(usPerMs), static_cast<double>(longestPeriodUs)));
}

}  // namespace

Feed::Feed(uint64_t seed, double ticksPerSecond) : seed_(seed), periodUs_(periodOf(ticksPerSecond)) {}

int Feed::find(std::string_view id) const {
    const auto known = indices_.find(std::string(id));
    return known == indices_.end() ? -1 : known->second;
}

int Feed::add(std::string_view id) {
    const int known = find(id);
    if (known >= 0) return known;
    auto spec = specOf(id);
    if (!spec) return -1;
    const int index = static_cast<int>(entries_.size());
    entries_.emplace_back();
    entries_.back().model = std::make_unique<InstrumentModel>(seed_, std::move(*spec));
    indices_.emplace(std::string(id), index);
    return index;
}

int64_t Feed::stepIn(int index, int64_t interval) const {
    const uint64_t h = hashOf(model(index).key(), saltSchedule, interval);
    const int64_t offset = static_cast<int64_t>(h % static_cast<uint64_t>(periodUs_ - usPerMs + 1));
    return (interval * periodUs_ + offset) / usPerMs;
}

int64_t Feed::newestInterval(int index, int64_t now) const {
    int64_t interval = (now + 1) * usPerMs / periodUs_;
    while (stepIn(index, interval) > now) --interval;
    return interval;
}

int64_t Feed::newestStep(int index, int64_t now) const {
    return stepIn(index, newestInterval(index, now));
}

void Feed::push(int index, int64_t interval) {
    queue_.push_back({stepIn(index, interval), interval, index, entries_[static_cast<size_t>(index)].generation});
    std::push_heap(queue_.begin(), queue_.end());
}

void Feed::setActive(int index, bool active, int64_t now) {
    Entry& entry = entries_[static_cast<size_t>(index)];
    if (entry.active == active) return;
    entry.active = active;
    ++entry.generation;
    // Void entries stay in the queue until they are due; too many of them are swept out at once.
    if (queue_.size() > 2 * entries_.size() + 64) rebuild(now);
    else if (active) push(index, newestInterval(index, now) + 1);
}

void Feed::setRate(double ticksPerSecond, int64_t now) {
    const int64_t period = periodOf(ticksPerSecond);
    if (period == periodUs_) return;
    periodUs_ = period;
    rebuild(now);
}

void Feed::rebuild(int64_t now) {
    queue_.clear();
    for (size_t i = 0; i < entries_.size(); ++i) {
        const int index = static_cast<int>(i);
        if (!entries_[i].active) continue;
        const int64_t interval = newestInterval(index, now) + 1;
        queue_.push_back({stepIn(index, interval), interval, index, entries_[i].generation});
    }
    std::make_heap(queue_.begin(), queue_.end());
}

void Feed::dropVoid() {
    while (!queue_.empty()) {
        const Due& top = queue_.front();
        const Entry& entry = entries_[static_cast<size_t>(top.index)];
        if (entry.active && entry.generation == top.generation) return;
        std::pop_heap(queue_.begin(), queue_.end());
        queue_.pop_back();
    }
}

bool Feed::next(int64_t now, int& index, int64_t& step) {
    dropVoid();
    if (queue_.empty()) return false;
    // Everything lies in the far future: the clock was set back.
    if (queue_.front().step > now + 2 * periodUs_ / usPerMs + lateLimitMs) rebuild(now);
    if (queue_.front().step > now) return false;
    std::pop_heap(queue_.begin(), queue_.end());
    const Due due = queue_.back();
    queue_.pop_back();
    const bool late = now - due.step > lateLimitMs;
    const int64_t interval = late ? newestInterval(due.index, now) : due.interval;
    index = due.index;
    step = late ? stepIn(due.index, interval) : due.step;
    push(due.index, interval + 1);
    return true;
}

int64_t Feed::nextDue() const {
    return queue_.empty() ? std::numeric_limits<int64_t>::max() : queue_.front().step;
}

}  // namespace sim
