// Reads a struct that a callback handed out, by the table alone, and notes what is wrong with its bytes.
//
// That a struct has the size of its generation shows at its end: the simulated library puts a known pattern behind
// it, and under AddressSanitizer forbids to read it. A struct that is too long or too short by one byte is noticed.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include "json.h"
#include "layout.h"

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/asan_interface.h>
#endif

namespace abi {

constexpr int guardBytes = 64;
constexpr unsigned char guardByte = 0xA5;
constexpr unsigned char expiredByte = 0xDD;

inline int32_t i32At(const char* data, int offset) {
    int32_t value;
    std::memcpy(&value, data + offset, sizeof value);
    return value;
}

inline double f64At(const char* data, int offset) {
    double value;
    std::memcpy(&value, data + offset, sizeof value);
    return value;
}

class StructCheck {
public:
    explicit StructCheck(std::vector<std::string>& problems) : problems_(problems) {}

    /** The fields as a JSON object; "null" for a null pointer. */
    std::string read(const Struct& layout, const char* data) {
        if (data == nullptr) return "null";
        std::vector<bool> covered(static_cast<size_t>(layout.size), false);
        std::string out = "{";
        for (const Field& field : layout.fields) {
            for (int i = 0; i < field.width; ++i) covered[static_cast<size_t>(field.offset + i)] = true;
            if (out.size() > 1) out += ",";
            out += quoted(field.name) + ":" + value(layout, field, data + field.offset);
        }
        for (int i = 0; i < layout.size; ++i) {
            if (!covered[static_cast<size_t>(i)] && data[i] != 0) problem(layout, "padding at " + std::to_string(i));
        }
        checkEnd(layout, data);
        return out + "}";
    }

    /** After its callback a struct is the caller's no more, and the simulated library has overwritten it. */
    void checkExpired(const Struct& layout, const char* data) {
        for (int i = 0; i < layout.size; ++i) {
            if (static_cast<unsigned char>(data[i]) != expiredByte) return problem(layout, "still there after its call");
        }
    }

private:
    std::string value(const Struct& layout, const Field& field, const char* data) {
        if (field.type == Type::i32) return std::to_string(i32At(data, 0));
        if (field.type == Type::f64) {
            if (std::isfinite(f64At(data, 0))) return number(f64At(data, 0));
            problem(layout, field.name + " is no number");
            return "null";
        }
        const size_t width = static_cast<size_t>(field.width);
        const size_t length = strnlen(data, width);
        if (length == width) problem(layout, field.name + " does not end");
        for (size_t i = length; i < width; ++i) {
            if (data[i] != 0) return problem(layout, field.name + " goes on after its end"), "null";
        }
        if (field.name.compare(0, 7, "reserve") == 0 && length != 0) problem(layout, field.name + " is in use");
        return quoted(std::string(data, length));
    }

    void checkEnd(const Struct& layout, const char* data) {
#ifdef __SANITIZE_ADDRESS__
        void* start = const_cast<char*>(data);
        if (__asan_region_is_poisoned(start, static_cast<size_t>(layout.size)) != nullptr) problem(layout, "too short");
        if (__asan_address_is_poisoned(data + layout.size) == 0) problem(layout, "too long");
#else
        for (int i = 0; i < guardBytes; ++i) {
            if (static_cast<unsigned char>(data[layout.size + i]) != guardByte) {
                return problem(layout, "no guard at " + std::to_string(layout.size + i));
            }
        }
        // Every struct ends with a zero, be it a text's last byte or padding, or with a double that is not the pattern.
        if (static_cast<unsigned char>(data[layout.size - 1]) == guardByte) problem(layout, "too short");
#endif
    }

    void problem(const Struct& layout, const std::string& what) { problems_.push_back(layout.name + ": " + what); }

    std::vector<std::string>& problems_;
};

}  // namespace abi
