#include "feed.h"

#include <algorithm>
#include <limits>

namespace sim {
namespace {

constexpr int64_t usPerMs = 1000;
constexpr int64_t lateLimitMs = 500;
/** A bench run counts lateness and loss, so it is not forgiven as soon. */
constexpr int64_t benchLateLimitMs = 10'000;
/** A clock that steps back by less than this is waited for. */
constexpr int64_t toleratedStepBackMs = 1000;

}  // namespace

Feed::Feed(const FeedSettings& settings, ProductTable products)
    : seed_(settings.seed),
      products_(std::move(products)),
      modelSettings_(settings.model),
      hours_(settings.hours),
      schedule_(settings.arrivals, settings.ticksPerSecond, settings.benchStartUs),
      lateLimitMs_(settings.benchStartUs >= 0 ? benchLateLimitMs : lateLimitMs) {}

int Feed::find(std::string_view id) const {
    const auto known = indices_.find(std::string(id));
    return known == indices_.end() ? -1 : known->second;
}

int Feed::add(std::string_view id, int64_t lastDay) {
    const int known = find(id);
    if (known >= 0) return known;
    auto spec = specOf(id, products_);
    if (!spec) return -1;
    const int index = static_cast<int>(entries_.size());
    const InstrumentHours hours{hours_.kindOf(spec->hours, spec->hours), hours_.kindOf(spec->lastDayHours, spec->hours), lastDay};
    Entry& entry = entries_.emplace_back();
    entry.model = std::make_unique<InstrumentModel>(seed_, std::move(*spec), hours_, hours, modelSettings_);
    entry.line.key = entry.model->key();
    entry.line.hours = hours;
    indices_.emplace(std::string(id), index);
    return index;
}

bool Feed::newest(int index, int64_t now, FeedEvent& event) {
    ScheduledLine& line = entries_[static_cast<size_t>(index)].line;
    const int64_t special = specialUntil(line, now, hours_) * usPerMs;
    Arrival arrival{};
    if (schedule_.latest(line, now * usPerMs + usPerMs - 1, std::max<int64_t>(special, 0), hours_, arrival)) {
        event = {index, arrival.us, arrival.sequence};
        return true;
    }
    event = {index, special, 0};
    return special >= 0;
}

void Feed::tickOf(const FeedEvent& event, Tick& tick) {
    tickAt(event.index, event.us / usPerMs, tick);
    if (!schedule_.isBench()) return;
    tick.volume = static_cast<int32_t>(event.sequence);
    tick.openInterest = static_cast<double>(event.us - schedule_.benchStartUs());
}

/** Sets an instrument's schedule to what comes after an instant. */
Feed::Due Feed::resume(int index, int64_t afterUs) {
    Entry& entry = entries_[static_cast<size_t>(index)];
    entry.arrival = schedule_.firstAfter(entry.line, afterUs, hours_);
    entry.special = specialAfter(entry.line, afterUs / usPerMs, hours_);
    return dueOf(index);
}

Feed::Due Feed::dueOf(int index) const {
    const Entry& entry = entries_[static_cast<size_t>(index)];
    return {std::min(entry.arrival.us, entry.special * usPerMs), index, entry.generation};
}

void Feed::setActive(int index, bool active, int64_t now) {
    latestNow_ = std::max(latestNow_, now);
    Entry& entry = entries_[static_cast<size_t>(index)];
    if (entry.active == active) return;
    entry.active = active;
    ++entry.generation;
    // Void entries stay in the queue until they are due; too many of them are swept out at once.
    if (queue_.size() > 2 * entries_.size() + 64) {
        rebuild(now);
    } else if (active) {
        queue_.push_back(resume(index, now * usPerMs + usPerMs - 1));
        std::push_heap(queue_.begin(), queue_.end());
    }
}

void Feed::setRate(double ticksPerSecond, int64_t now) {
    if (schedule_.setRate(ticksPerSecond)) rebuild(now);
}

void Feed::rebuild(int64_t now) {
    latestNow_ = now;
    queue_.clear();
    for (size_t i = 0; i < entries_.size(); ++i) {
        if (entries_[i].active) queue_.push_back(resume(static_cast<int>(i), now * usPerMs + usPerMs - 1));
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

/** Puts another entry in the place of the earliest one: one way down, where pop and push would be two. */
void Feed::replaceFront(const Due& due) {
    const size_t size = queue_.size();
    size_t hole = 0;
    for (size_t child = 1; child < size; child = 2 * hole + 1) {
        if (child + 1 < size && queue_[child + 1].us < queue_[child].us) ++child;
        if (queue_[child].us >= due.us) break;
        queue_[hole] = queue_[child];
        hole = child;
    }
    queue_[hole] = due;
}

bool Feed::next(int64_t now, FeedEvent& event) {
    dropVoid();
    if (queue_.empty()) return false;
    // The clock was set back: the present is somewhere before what has been scheduled.
    if (now + toleratedStepBackMs < latestNow_) rebuild(now);
    latestNow_ = std::max(latestNow_, now);
    const Due due = queue_.front();
    const int64_t nowUs = now * usPerMs + usPerMs - 1;
    if (due.us > nowUs) return false;
    Entry& entry = entries_[static_cast<size_t>(due.index)];
    if (now - due.us / usPerMs > lateLimitMs_ && newest(due.index, now, event) && event.us > due.us) {
        replaceFront(resume(due.index, nowUs));
        return true;
    }
    event = {due.index, due.us, 0};
    if (due.us == entry.arrival.us) {
        event.sequence = entry.arrival.sequence;
        entry.arrival = schedule_.after(entry.line, entry.arrival, hours_);
    } else {
        entry.special = specialAfter(entry.line, entry.special, hours_);
    }
    replaceFront(dueOf(due.index));
    return true;
}

int64_t Feed::nextDue() const {
    return queue_.empty() ? std::numeric_limits<int64_t>::max() : queue_.front().us / usPerMs;
}

}  // namespace sim
