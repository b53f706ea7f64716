#include "frame_reader.h"

#include <cstdlib>

namespace load {
namespace {

using std::string_view;

constexpr string_view pushHead = R"({"action":"market_data","instrument_id":")";
constexpr string_view answerHead = R"({"aid":"rtn_data","data":[{"quotes":{)";
// With their opening quote, which no longer name has at this place; a diff may begin with either.
constexpr string_view volumeKey = R"("volume":)";
constexpr string_view interestKey = R"("open_interest":)";

bool startsWith(string_view text, string_view head) {
    return text.substr(0, head.size()) == head;
}

/** A whole number, which may end in decimals. */
bool numberAt(string_view text, size_t at, int64_t& out) {
    int64_t value = 0;
    const size_t begin = at;
    while (at < text.size() && text[at] >= '0' && text[at] <= '9') value = value * 10 + (text[at++] - '0');
    out = value;
    return at > begin;
}

/** How far a field may move between two frames, as numbers get longer or shorter. */
constexpr size_t drift = 24;

/** Where the last frame had its volume: most of the search is spared by beginning there. */
size_t volumeHint = 0;

bool findFields(string_view body, Sighting& out) {
    size_t volume = body.find(volumeKey, volumeHint > drift ? volumeHint - drift : 0);
    if (volume == string_view::npos) volume = body.find(volumeKey);
    if (volume != string_view::npos) volumeHint = volume;
    if (volume == string_view::npos || !numberAt(body, volume + volumeKey.size(), out.sequence)) return false;
    const size_t interest = body.find(interestKey, volume + volumeKey.size());
    return interest != string_view::npos && numberAt(body, interest + interestKey.size(), out.intendedUs);
}

/** Position after the object that begins at `at`; the text's end when it does not end. */
size_t endOfObject(string_view text, size_t at) {
    int depth = 0;
    bool inString = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (inString) {
            if (c == '\\') ++at;
            else if (c == '"') inString = false;
        } else if (c == '"') {
            inString = true;
        } else if (c == '{') {
            ++depth;
        } else if (c == '}' && --depth == 0) {
            return at + 1;
        }
    }
    return text.size();
}

}  // namespace

bool readPush(string_view frame, Sighting& out) {
    if (!startsWith(frame, pushHead)) return false;
    const size_t end = frame.find('"', pushHead.size());
    if (end == string_view::npos) return false;
    out.id = frame.substr(pushHead.size(), end - pushHead.size());
    return findFields(frame.substr(end), out);
}

QuoteReader::QuoteReader(string_view frame) : rest_(), isAnswer_(startsWith(frame, answerHead)) {
    if (isAnswer_) rest_ = frame.substr(answerHead.size());
}

bool QuoteReader::next(Sighting& out) {
    while (!rest_.empty() && (rest_[0] == '"' || rest_[0] == ',')) {
        if (rest_[0] == ',') rest_.remove_prefix(1);
        const size_t keyEnd = rest_.find('"', 1);
        if (keyEnd == string_view::npos || keyEnd + 2 >= rest_.size()) break;
        out.id = rest_.substr(1, keyEnd - 1);
        const size_t end = endOfObject(rest_, keyEnd + 2);
        const string_view body = rest_.substr(keyEnd + 2, end - keyEnd - 2);
        rest_.remove_prefix(end);
        if (findFields(body, out)) return true;
    }
    rest_ = {};
    return false;
}

}  // namespace load
