// Load over MLLP: some connections, on each one message in flight; the next leaves when the acknowledgement of the last one
// is here and says AA for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace sgl::bench {

struct Sending {
    std::string frame;       ///< with its MLLP bytes
    std::string control_id;  ///< expected in MSA-2
};

struct LoadFigures {
    std::size_t accepted{};
    double seconds{};              ///< from the first byte sent to the last acknowledgement
    std::vector<double> latencies; ///< milliseconds, sorted
    std::string first_refusal;     ///< of the bench's own messages: no real person in it
    std::size_t refused{};
    bool ran_out{};                ///< the messages ended before the time did

    double per_second() const { return seconds > 0 ? static_cast<double>(accepted) / seconds : 0; }
    double percentile(double part) const;
};

/// Sends until `seconds` have passed or `count` messages are through; message(i) is asked for i = 0, 1, 2…
LoadFigures drive(std::uint16_t port, std::size_t connections, double seconds, std::size_t count,
                  const std::function<const Sending&(std::size_t)>& message);

}  // namespace sgl::bench
