// Texts in the fixed fields of the vendor's structs.
#pragma once
#include <cstddef>
#include <cstring>
#include <string>
#include <string_view>

namespace sim {

/** Copies into a fixed field, cut to fit, NUL-padded to its end. */
template <size_t width>
void copyText(char (&field)[width], std::string_view text) {
    const size_t length = text.size() < width - 1 ? text.size() : width - 1;
    std::memcpy(field, text.data(), length);
    std::memset(field + length, 0, width - length);
}

/** A field's text, up to its first NUL or its end. */
template <size_t width>
std::string textOf(const char (&field)[width]) {
    return std::string(field, strnlen(field, width));
}

}  // namespace sim
