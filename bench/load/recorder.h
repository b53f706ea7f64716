// What all clients have received: histories for the whole run, latencies within the measured window.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "arguments.h"
#include "frame_reader.h"
#include "histogram.h"
#include "history.h"

namespace load {

/** The instruments of one client, and its history of each. */
struct Streams {
    std::vector<int32_t> instruments;
    std::vector<History> histories;
    /** By instrument, for clients with so many that a search would cost; otherwise empty. */
    std::vector<int32_t> index;
    int32_t silent = 0;
};

/**
 * The probe file holds, per delivery, three little-endian 64-bit numbers: instrument (its place in the order of first
 * mention in the plan), sequence, and the time of receipt in µs since the epoch.
 */
class Recorder {
public:
    Recorder(const Arguments& arguments, const std::vector<std::vector<std::string>>& plan);

    void take(int client, const Sighting& sighting, int64_t nowUs);

    void begin(int64_t nowUs);
    /** Ends the window; its figures as JSON. */
    std::string end(int64_t nowUs);
    /** Figures of the whole run as JSON; writes the probe file. */
    std::string finish(int connected) const;

    /** Streams that have not shown any state yet. */
    int64_t silentStreams() const { return silent_; }
    uint64_t received() const { return totals_.received; }
    uint64_t missing() const { return totals_.missing; }
    uint64_t bytes = 0;
    /** Reads that brought something. */
    uint64_t reads = 0;

private:
    struct Burst {
        int64_t lastUs = 0;
        uint64_t deliveries = 0;
    };
    int32_t streamOf(const Streams& streams, std::string_view id) const;

    int64_t startUs_;
    int64_t burstPeriodUs_;
    int probes_;
    std::string probeFile_;
    std::vector<std::string> names_;
    std::unordered_map<std::string_view, int32_t> instruments_;
    std::vector<Streams> clients_;
    int64_t silent_ = 0;
    HistoryTotals totals_;
    /** What was missing when the window began: lost while the clients came in. */
    uint64_t missingAtBegin_ = 0;

    bool measuring_ = false;
    Histogram latencies_;
    int64_t beganUs_ = 0;
    int64_t cpuAtBeginUs_ = 0;
    uint64_t bytesAtBegin_ = 0;
    uint64_t readsAtBegin_ = 0;
    uint64_t early_ = 0;
    uint64_t strangers_ = 0;
    std::map<int64_t, Burst> bursts_;
    std::vector<int64_t> probed_;
};

}  // namespace load
