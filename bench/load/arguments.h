// The command line of the load generator.
#pragma once
#include <cstdint>
#include <string>

namespace load {

struct Arguments {
    int port = 0;
    bool aid = false;
    /** File with one line per client: its instruments, separated by commas. */
    std::string plan;
    /** µs since the epoch at which intended times are 0. */
    int64_t startUs = 0;
    /** Length of a synchronised burst's period; 0 when ticks do not come in bursts. */
    int64_t burstPeriodUs = 0;
    /** File for every delivery to the first `probes` clients, see recorder.h. */
    std::string probeFile;
    int probes = 0;
    /** Spent before each read, to be found by the table of hops. */
    int64_t slowUs = 0;
};

/** Throws std::invalid_argument that names the option. */
Arguments parseArguments(int count, char** values);

extern const char usage[];

}  // namespace load
