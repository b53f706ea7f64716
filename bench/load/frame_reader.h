// Finds (instrument, sequence, intended time) in the gateway's frames, without parsing what nobody asks for.
#pragma once
#include <cstdint>
#include <string_view>

namespace load {

/** One quote in a frame. */
struct Sighting {
    std::string_view id;
    int64_t sequence;     // the quote's volume
    int64_t intendedUs;   // the quote's open interest: µs since the run's start
};

/** A market_data frame of the action protocol. False for any other frame and for one without both fields. */
bool readPush(std::string_view frame, Sighting& out);

/**
 * The quotes of an rtn_data frame of the aid protocol, one per call.
 *
 *     QuoteReader reader(frame);
 *     if (reader.isAnswer()) while (reader.next(sighting)) …
 */
class QuoteReader {
public:
    explicit QuoteReader(std::string_view frame);

    bool isAnswer() const { return isAnswer_; }

    /** Quotes without sequence or time are skipped: nothing but their other fields changed. */
    bool next(Sighting& out);

private:
    std::string_view rest_;
    bool isAnswer_;
};

}  // namespace load
