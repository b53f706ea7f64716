#include "recorder.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <deque>
#include <fstream>

namespace load {
namespace {

/** Below it a linear search is faster than an index. */
constexpr size_t indexFrom = 32;
/** Bounds the probe file to 96 MB. */
constexpr size_t longestProbe = 3 * 4'000'000;

int64_t cpuUs() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto us = [](const timeval& time) { return int64_t{time.tv_sec} * 1'000'000 + time.tv_usec; };
    return us(usage.ru_utime) + us(usage.ru_stime);
}

/** Appends `,"name":value`. */
template <typename T>
void add(std::string& json, const char* name, T value) {
    json += ",\"";
    json += name;
    json += "\":";
    json += std::to_string(value);
}

}  // namespace

Recorder::Recorder(const Arguments& arguments, const std::vector<std::vector<std::string>>& plan)
    : startUs_(arguments.startUs),
      burstPeriodUs_(arguments.burstPeriodUs),
      probes_(arguments.probes),
      probeFile_(arguments.probeFile) {
    std::unordered_map<std::string, int32_t> numbers;
    for (const auto& ids : plan) {
        Streams streams;
        for (const std::string& id : ids) {
            const auto [known, added] = numbers.emplace(id, static_cast<int32_t>(names_.size()));
            if (added) names_.push_back(id);
            streams.instruments.push_back(known->second);
        }
        streams.histories.resize(ids.size());
        silent_ += static_cast<int64_t>(ids.size());
        clients_.push_back(std::move(streams));
    }
    for (size_t i = 0; i < names_.size(); ++i) instruments_.emplace(names_[i], static_cast<int32_t>(i));
    for (Streams& streams : clients_) {
        if (streams.instruments.size() < indexFrom) continue;
        streams.index.assign(names_.size(), -1);
        for (size_t i = 0; i < streams.instruments.size(); ++i) {
            streams.index[static_cast<size_t>(streams.instruments[i])] = static_cast<int32_t>(i);
        }
    }
    if (probes_ > 0) probed_.reserve(longestProbe / 4);
}

/** Place of the instrument among the client's, -1 for one that it has not asked for. */
int32_t Recorder::streamOf(const Streams& streams, std::string_view id) const {
    const auto found = instruments_.find(id);
    if (found == instruments_.end()) return -1;
    if (!streams.index.empty()) return streams.index[static_cast<size_t>(found->second)];
    const auto& mine = streams.instruments;
    const auto place = std::find(mine.begin(), mine.end(), found->second);
    return place == mine.end() ? -1 : static_cast<int32_t>(place - mine.begin());
}

void Recorder::take(int client, const Sighting& sighting, int64_t nowUs) {
    Streams& streams = clients_[static_cast<size_t>(client)];
    const int32_t stream = streamOf(streams, sighting.id);
    if (stream < 0) {
        ++strangers_;
        return;
    }
    History& history = streams.histories[static_cast<size_t>(stream)];
    if (history.silent()) --silent_;
    history.take(sighting.sequence, totals_);
    if (!measuring_) return;
    const int64_t latency = nowUs - startUs_ - sighting.intendedUs;
    if (latency < 0) ++early_;
    latencies_.record(latency);
    if (burstPeriodUs_ > 0) {
        Burst& burst = bursts_[sighting.intendedUs / burstPeriodUs_];
        burst.lastUs = std::max(burst.lastUs, nowUs);
        ++burst.deliveries;
    }
    if (client < probes_ && probed_.size() < longestProbe) {
        const int64_t instrument = streams.instruments[static_cast<size_t>(stream)];
        probed_.insert(probed_.end(), {instrument, sighting.sequence, nowUs});
    }
}

void Recorder::begin(int64_t nowUs) {
    measuring_ = true;
    bytesAtBegin_ = bytes;
    readsAtBegin_ = reads;
    missingAtBegin_ = totals_.missing;
    beganUs_ = nowUs;
    cpuAtBeginUs_ = cpuUs();
    early_ = 0;
    latencies_.clear();
    bursts_.clear();
    probed_.clear();
}

std::string Recorder::end(int64_t nowUs) {
    measuring_ = false;
    std::string json = R"({"event":"window")";
    add(json, "window_us", nowUs - beganUs_);
    add(json, "cpu_us", cpuUs() - cpuAtBeginUs_);
    add(json, "bytes", bytes - bytesAtBegin_);
    add(json, "reads", reads - readsAtBegin_);
    add(json, "delivered", latencies_.count());
    add(json, "early", early_);
    add(json, "p50_us", latencies_.percentile(50));
    add(json, "p99_us", latencies_.percentile(99));
    add(json, "p999_us", latencies_.percentile(99.9));
    add(json, "max_us", latencies_.max());
    json += ",\"bursts\":[";
    // The first and the last burst may be cut by the window.
    for (auto burst = bursts_.begin(); burst != bursts_.end(); ++burst) {
        if (burst == bursts_.begin() || std::next(burst) == bursts_.end()) continue;
        if (json.back() != '[') json += ',';
        const int64_t drain = burst->second.lastUs - startUs_ - burst->first * burstPeriodUs_;
        json += "[" + std::to_string(burst->second.deliveries) + "," + std::to_string(drain) + "]";
    }
    return json + "]}";
}

std::string Recorder::finish(int connected) const {
    struct Range {
        int64_t least = INT64_MAX;
        int64_t most = -1;
    };
    std::vector<Range> ranges(names_.size());
    for (const Streams& streams : clients_) {
        for (size_t i = 0; i < streams.histories.size(); ++i) {
            Range& range = ranges[static_cast<size_t>(streams.instruments[i])];
            range.least = std::min(range.least, streams.histories[i].last());
            range.most = std::max(range.most, streams.histories[i].last());
        }
    }
    std::string json = R"({"event":"final")";
    add(json, "connected", connected);
    add(json, "received", totals_.received);
    add(json, "missing", totals_.missing - std::min(totals_.missing, missingAtBegin_));
    add(json, "missing_before", missingAtBegin_);
    add(json, "repeated", totals_.repeated);
    add(json, "late", totals_.late);
    add(json, "stale", totals_.stale);
    add(json, "strangers", strangers_);
    add(json, "silent", silent_);
    json += ",\"last\":{";
    for (size_t i = 0; i < names_.size(); ++i) {
        if (i > 0) json += ',';
        json += "\"" + names_[i] + "\":[" + std::to_string(ranges[i].least) + "," + std::to_string(ranges[i].most) + "]";
    }
    if (!probeFile_.empty()) {
        std::ofstream file(probeFile_, std::ios::binary);
        file.write(reinterpret_cast<const char*>(probed_.data()), static_cast<std::streamsize>(probed_.size() * 8));
    }
    return json + "}}";
}

}  // namespace load
