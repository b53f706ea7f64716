// Lines of JSON on stdout, one object each; texts byte by byte as Latin-1, so that GB18030 survives.
#pragma once
#include <cstdio>
#include <mutex>
#include <string>

namespace abi {

inline std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        const unsigned char byte = static_cast<unsigned char>(c);
        if (byte == '"' || byte == '\\' || byte < 0x20 || byte >= 0x7f) {
            char escaped[8];
            std::snprintf(escaped, sizeof escaped, "\\u%04x", byte);
            out += escaped;
        } else {
            out += c;
        }
    }
    return out + "\"";
}

/** Seventeen digits: a double that is read back is the same one. */
inline std::string number(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.17g", value);
    return text;
}

inline void print(const std::string& json) {
    static std::mutex mutex;
    const std::lock_guard lock(mutex);
    std::fputs((json + "\n").c_str(), stdout);
    std::fflush(stdout);
}

}  // namespace abi
