#include "hl7/framer.hpp"

#include <algorithm>
#include <utility>

namespace sgl::hl7 {

namespace {

constexpr char vt = '\x0b';
constexpr char fs = '\x1c';
constexpr std::size_t sample_size = 32;

}  // namespace

std::vector<FramerEvent> Framer::feed(std::string_view chunk) {
    std::vector<FramerEvent> events;
    while (!chunk.empty()) {
        switch (state_) {
            case State::after:
                state_ = State::outside;
                if (chunk.front() == '\r' || chunk.front() == '\n') chunk.remove_prefix(1);
                break;
            case State::outside: {
                const auto start = chunk.find(vt);
                outside(chunk.substr(0, start), events);
                if (start == std::string_view::npos) return events;
                chunk.remove_prefix(start + 1);
                state_ = State::inside;
                break;
            }
            case State::inside: {
                const auto end = chunk.find(fs);
                const auto restart = chunk.substr(0, end).find(vt);
                const auto part = chunk.substr(0, std::min(end, restart));
                if (overflows(part, events)) {
                    state_ = State::discarding;
                    chunk.remove_prefix(part.size());
                    break;
                }
                buffer_.append(part);
                chunk.remove_prefix(part.size());
                if (chunk.empty()) break;
                const char stop = chunk.front();
                chunk.remove_prefix(1);
                if (stop == fs) {
                    end_of_block(events);
                } else if (!buffer_.empty()) {
                    const auto size = buffer_.size();
                    events.push_back({FramerEvent::Kind::unterminated, std::exchange(buffer_, {}), size});
                }
                break;
            }
            case State::discarding: {
                const auto end = chunk.find(fs);
                oversize_bytes_ += std::min(end, chunk.size());
                if (end == std::string_view::npos) return events;
                chunk.remove_prefix(end + 1);
                state_ = State::after;
                break;
            }
            case State::start: {
                const auto first = chunk.find_first_not_of(" \t\r\n");
                if (first == std::string_view::npos) return events;
                chunk.remove_prefix(first);
                const bool hl7 = chunk.front() != '\x05' && chunk.front() != '\x02';
                state_ = chunk.front() == vt || !hl7 ? State::outside : State::bare;
                break;
            }
            case State::bare:
                if (overflows(chunk, events)) {
                    state_ = State::bare_discarding;
                } else {
                    buffer_.append(chunk);
                }
                return events;
            case State::bare_discarding:
                oversize_bytes_ += chunk.size();
                return events;
        }
    }
    return events;
}

// The block with `part` would be longer than the limit: its head is told, the rest is only counted.
bool Framer::overflows(std::string_view part, std::vector<FramerEvent>& events) {
    if (part.size() <= limit_ - buffer_.size()) return false;
    const auto arrived = buffer_.size() + part.size();
    buffer_.append(part.substr(0, oversize_head - std::min(buffer_.size(), oversize_head)));
    buffer_.resize(std::min(buffer_.size(), oversize_head));
    oversize_bytes_ = arrived;
    events.push_back({FramerEvent::Kind::oversize, std::exchange(buffer_, {}), arrived});
    return true;
}

std::optional<FramerEvent> Framer::finish() {
    const auto state = std::exchange(state_, framing_ == Framing::none_eof ? State::start : State::outside);
    if ((state != State::inside && state != State::bare) || buffer_.empty()) return std::nullopt;
    const auto size = buffer_.size();
    const auto kind = state == State::bare ? FramerEvent::Kind::block : FramerEvent::Kind::incomplete;
    return FramerEvent{kind, std::exchange(buffer_, {}), size};
}

void Framer::end_of_block(std::vector<FramerEvent>& events) {
    state_ = State::after;
    const bool blank = buffer_.find_first_not_of(" \t\r\n") == std::string::npos;
    if (blank) {
        ++empty_blocks_;
        buffer_.clear();
        return;
    }
    const auto size = buffer_.size();
    const bool release_2 = size == 1 && (buffer_.front() == '\x06' || buffer_.front() == '\x15');
    const auto kind = release_2 ? FramerEvent::Kind::commit_byte : FramerEvent::Kind::block;
    events.push_back({kind, std::exchange(buffer_, {}), size});
}

void Framer::outside(std::string_view bytes, std::vector<FramerEvent>& events) {
    // Line ends between blocks are what every second sender does; they are no news.
    const auto noise = bytes.find_first_not_of("\r\n");
    if (noise == std::string_view::npos) return;
    garbage_bytes_ += static_cast<std::size_t>(
        std::count_if(bytes.begin(), bytes.end(), [](char c) { return c != '\r' && c != '\n'; }));
    const bool astm = bytes[noise] == '\x05' || bytes[noise] == '\x02';
    if (astm && !astm_reported_) {
        astm_reported_ = true;
        garbage_reported_ = true;
        events.push_back({FramerEvent::Kind::not_hl7, {}, bytes.size() - noise});
    } else if (!garbage_reported_) {
        garbage_reported_ = true;
        events.push_back(
            {FramerEvent::Kind::garbage, std::string(bytes.substr(noise, sample_size)), bytes.size() - noise});
    }
}

std::string frame(std::string_view bytes) {
    std::string block;
    block.reserve(bytes.size() + 3);
    block += vt;
    block += bytes;
    block += fs;
    block += '\r';
    return block;
}

}  // namespace sgl::hl7
