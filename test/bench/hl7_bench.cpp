// hl7-bench: what reading a message costs: time, memory, allocations. `hl7_bench.py` runs it beside other readers.
#include <fmt/format.h>
#include <malloc.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <new>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "hl7/lines.hpp"
#include "hl7/message.hpp"

// Every allocation of this program is counted.
namespace {
std::size_t allocations = 0;
std::size_t live_bytes = 0;
std::size_t peak_bytes = 0;
}  // namespace

void* operator new(std::size_t size) {
    void* const memory = std::malloc(size);
    if (memory == nullptr) throw std::bad_alloc();
    ++allocations;
    live_bytes += malloc_usable_size(memory);
    peak_bytes = std::max(peak_bytes, live_bytes);
    return memory;
}
void operator delete(void* memory) noexcept {
    if (memory != nullptr) live_bytes -= malloc_usable_size(memory);
    std::free(memory);
}
void operator delete(void* memory, std::size_t /*size*/) noexcept {
    operator delete(memory);
}

namespace {

using sgl::hl7::Message;

double processor_seconds() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

sgl::hl7::ParseOptions options() {
    sgl::hl7::ParseOptions some;
    some.max_fields = 10'000;  // one message of the corpus has 5,001
    return some;
}

struct Leaves {
    std::size_t leaves{};
    std::size_t bytes{};
};

/// Every sub-component of every field is reached.
Leaves walk(const Message& message) {
    Leaves seen;
    for (std::size_t i = 0; i < message.size(); ++i) {
        message.segment(i).for_each_leaf([&](const sgl::hl7::Leaf& leaf) {
            ++seen.leaves;
            seen.bytes += leaf.raw.size() + leaf.component;
        });
    }
    return seen;
}

std::vector<std::string> corpus(const std::filesystem::path& folder) {
    std::vector<std::string> messages;
    for (const auto& entry : std::filesystem::directory_iterator(folder)) {
        if (entry.path().extension() != ".hl7") continue;
        std::ifstream file(entry.path(), std::ios::binary);
        std::string bytes{std::istreambuf_iterator<char>(file), {}};
        // Blocks of a capture become lines.
        std::replace_if(bytes.begin(), bytes.end(), [](char c) { return c == '\x0b' || c == '\x1c'; }, '\r');
        for (const auto message : sgl::hl7::split_messages(bytes))
            messages.emplace_back(message);
    }
    return messages;
}

std::size_t total(const std::vector<std::string>& messages) {
    std::size_t bytes = 0;
    for (const auto& message : messages)
        bytes += message.size();
    return bytes;
}

void measure(std::string_view name, const std::vector<std::string>& messages, double seconds,
             const std::function<void(const std::string&)>& step) {
    for (const auto& message : messages)
        step(message);
    std::size_t rounds = 0;
    const double begin = processor_seconds();
    double used = 0;
    for (; used < seconds; used = processor_seconds() - begin, ++rounds) {
        for (const auto& message : messages)
            step(message);
    }
    const auto all = static_cast<double>(rounds);
    fmt::print("{:<44} {:>8.1f} MB/s {:>9.0f} messages/s\n", name,
               all * static_cast<double>(total(messages)) / 1e6 / used,
               all * static_cast<double>(messages.size()) / used);
}

void one(std::string_view name, const std::string& bytes) {
    double best = 1e9;
    Leaves seen;
    std::size_t peak = 0;
    std::size_t count = 0;
    for (int i = 0; i < 5; ++i) {
        const auto live = live_bytes;
        const auto before = allocations;
        peak_bytes = live;
        std::string copy = bytes;
        const double begin = processor_seconds();
        const auto message = Message::parse(std::move(copy), options());
        if (!message) {
            fmt::print("{:<44} refused: {}\n", name, message.error().what);
            return;
        }
        seen = walk(*message);
        best = std::min(best, processor_seconds() - begin);
        peak = peak_bytes - live;
        count = allocations - before;
    }
    fmt::print("{:<44} {:>8.3f} ms {:>8.2f} x its size {:>5} allocations {:>9} leaves\n", name, 1e3 * best,
               static_cast<double>(peak) / static_cast<double>(bytes.size()), count, seen.leaves);
}

std::string large(std::string_view charset, std::string_view segment, std::size_t size) {
    std::string bytes = fmt::format("MSH|^~\\&|A|B|C|D|20261121||ORU^R01^ORU_R01|1|P|2.5||||||{}\r", charset);
    while (bytes.size() + segment.size() <= size)
        bytes += segment;
    return bytes;
}

std::string repeated(std::string_view part, std::size_t times) {
    std::string out;
    for (std::size_t i = 0; i < times; ++i)
        out += part;
    return out;
}

void large_messages() {
    constexpr std::size_t size = 10'000'000;
    const std::string base64 = repeated("JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5k", 152'000);
    one("10 MB: a PDF in one field",
        large("UNICODE UTF-8", "OBX|1|ED|PDF||^AP^PDF^Base64^" + base64 + "||||||F\r", size));
    one("10 MB: a PDF in wrapped lines",
        large("UNICODE UTF-8",
              "OBX|1|ED|PDF||^AP^PDF^Base64^" +
                  repeated("JVBERi0xLjQKMSAwIG9iajw8L1R5cGUvQ2F0YWxvZy9QYWdlcyAyIDAgUj4+ZW5kb2JqCg\r\n", 135'000),
              size));
    one("10 MB: 19,000 OBX",
        large(
            "UNICODE UTF-8",
            "OBX|1|NM|NA^Sodium^L^2951-2^Sodium^LN||139|mmol/L^^UCUM|136-145|N|||F|||20240502071500||1^B^EVE||ISE^FAB|"
            "20240502083000|||||LBM^^^^^FINESS&1.2.250.1.71.4.2.2&ISO^FINEG^^^690000002|" +
                std::string(320, 'x') + "\r",
            size));
    one("10 MB: texts with accents, UTF-8",
        large("UNICODE UTF-8", "NTE|1|L|" + repeated("Très léger épanchement à surveiller ; ", 14) + "\r", size));
    one("10 MB: texts with accents, 8859/15",
        large("8859/15", "NTE|1|L|" + repeated("Tr\xe8s l\xe9ger \xe9panchement \xe0 surveiller ; ", 15) + "\r", size));
    one("10 MB: accents only, 8859/1", large("8859/1", "NTE|1|L|" + std::string(600, '\xe9') + "\r", size));
    one("10 MB: separators only", large("", "OBX" + std::string(1'900, '|') + "\r", size));
    one("10 MB: all separators in turn", large("", "OBX" + repeated("|^&~", 900) + "\r", size));
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app{"What reading an HL7 v2 message costs; processor time of one thread."};
    std::filesystem::path folder = "../shared/hl7/corpus";
    if (const char* shared = std::getenv("SGL_SHARED")) folder = std::filesystem::path(shared) / "hl7/corpus";
    std::string file;
    double seconds = 2;
    std::string only;
    app.add_option("--corpus", folder, "Folder of *.hl7 files")->capture_default_str();
    app.add_option("--seconds", seconds, "Of each measure")->capture_default_str();
    app.add_option("--export", file,
                   "Only write the corpus' messages for another reader: length (4 bytes, little end first), bytes");
    app.add_option("--only", only, "Only the measure whose name begins so");
    CLI11_PARSE(app, argc, argv);

    const auto messages = corpus(folder);
    if (messages.empty()) {
        fmt::print(stderr, "no message in {}\n", folder.string());
        return 1;
    }
    if (!file.empty()) {
        std::ofstream out(file, std::ios::binary);
        for (const auto& message : messages) {
            for (int shift = 0; shift < 32; shift += 8)
                out.put(static_cast<char>(static_cast<unsigned char>(message.size() >> shift)));
            out << message;
        }
        return out ? 0 : 1;
    }
    std::vector<std::string> small;
    std::copy_if(messages.begin(), messages.end(), std::back_inserter(small),
                 [](const auto& message) { return message.size() <= 8192; });
    fmt::print("{} messages, {} bytes; {} of at most 8 KiB, {} bytes\n", messages.size(), total(messages), small.size(),
               total(small));

    std::size_t sum = 0;
    const auto rate = [&](std::string_view name, const auto& some, double limit, const auto& step) {
        if (name.starts_with(only)) measure(name, some, limit, step);
    };
    const auto complete = [&](const std::string& bytes) {
        if (const auto message = Message::parse(bytes, options())) sum += walk(*message).leaves;
    };
    rate("complete parse, corpus", messages, seconds, complete);
    rate("complete parse, at most 8 KiB", small, seconds, complete);
    rate("parse alone, corpus", messages, seconds, [&](const std::string& bytes) {
        if (const auto message = Message::parse(bytes, options())) sum += message->size();
    });
    rate("parse alone, at most 8 KiB", small, seconds, [&](const std::string& bytes) {
        if (const auto message = Message::parse(bytes, options())) sum += message->size();
    });
    if (!only.empty()) return 0;
    for (const std::size_t n : {20U, 200U, 2'000U}) {
        const auto bytes = large("UNICODE UTF-8", "OBX|1|NM|NA^Sodium^L||139|mmol/L^^UCUM|136-145|N|||F\r", n * 52);
        one(fmt::format("{} OBX", n), bytes);
    }
    large_messages();
    return sum == 0 ? 1 : 0;
}
