#include "arguments.h"

#include <cstdlib>
#include <stdexcept>
#include <string_view>

namespace load {

const char usage[] =
    "load: WebSocket clients that measure\n"
    "  --port P            port on loopback\n"
    "  --protocol NAME     action or aid\n"
    "  --plan FILE         one line per client: its instruments, separated by commas\n"
    "  --start-us N        us since the epoch at which intended times are 0\n"
    "  --burst-us N        period of synchronised bursts\n"
    "  --probes N --probe-file FILE   write every delivery to the first N clients\n"
    "  --slow-us N         wait before each read\n"
    "Commands on stdin: begin, end, finish. Answers on stdout: one JSON object per line.\n";

namespace {

int64_t numberOf(std::string_view name, const char* text) {
    char* end = nullptr;
    const int64_t value = std::strtoll(text, &end, 10);
    if (end == text || *end != '\0' || value < 0) throw std::invalid_argument(std::string(name) + " needs a number");
    return value;
}

}  // namespace

Arguments parseArguments(int count, char** values) {
    Arguments out;
    for (int i = 1; i < count; i += 2) {
        const std::string_view name = values[i];
        if (i + 1 == count) throw std::invalid_argument(std::string(name) + " needs a value");
        const char* value = values[i + 1];
        if (name == "--port") out.port = static_cast<int>(numberOf(name, value));
        else if (name == "--plan") out.plan = value;
        else if (name == "--start-us") out.startUs = numberOf(name, value);
        else if (name == "--burst-us") out.burstPeriodUs = numberOf(name, value);
        else if (name == "--probes") out.probes = static_cast<int>(numberOf(name, value));
        else if (name == "--probe-file") out.probeFile = value;
        else if (name == "--slow-us") out.slowUs = numberOf(name, value);
        else if (name == "--protocol" && std::string_view(value) == "aid") out.aid = true;
        else if (name == "--protocol" && std::string_view(value) == "action") out.aid = false;
        else throw std::invalid_argument(std::string(name) + " " + value + " is not understood");
    }
    if (out.port == 0 || out.plan.empty()) throw std::invalid_argument("--port and --plan are needed");
    return out;
}

}  // namespace load
