// Every message of the public corpus, field by field, against what independent parsers agreed on.
#include <algorithm>
#include <boost/json.hpp>
#include <vector>

#include "hl7/framer.hpp"
#include "hl7/lines.hpp"
#include "hl7/message.hpp"
#include "test/hl7/shared.hpp"

namespace sgl::hl7 {
namespace {

namespace json = boost::json;

// FIELDS of the reference layout, empty ends dropped at every level (rule R1).
json::array trimmed(json::array array) {
    const auto empty = [](const json::value& value) {
        return (value.is_array() && value.get_array().empty()) || (value.is_string() && value.get_string().empty());
    };
    while (!array.empty() && empty(array.back()))
        array.pop_back();
    return array;
}

json::array layout(const Field& field) {
    json::array repetitions;
    for (const auto& repetition : field.repetitions()) {
        json::array components;
        for (std::size_t c = 1; c <= repetition.size(); ++c) {
            const auto component = repetition.component(c);
            json::array leaves;
            for (std::size_t s = 1; s <= component.size(); ++s)
                leaves.emplace_back(component.subcomponent(s).raw());
            components.emplace_back(trimmed(std::move(leaves)));
        }
        repetitions.emplace_back(trimmed(std::move(components)));
    }
    return trimmed(std::move(repetitions));
}

json::object layout(const Message& message) {
    const auto separator = [](char c) { return c == '\0' ? json::value(nullptr) : json::value(std::string(1, c)); };
    const auto& s = message.separators();
    json::object out;
    out["separators"] = {{"field", separator(s.field)},
                         {"component", separator(s.component)},
                         {"repetition", separator(s.repetition)},
                         {"escape", separator(s.escape)},
                         {"subcomponent", separator(s.subcomponent)},
                         {"truncation", separator(s.truncation)}};
    out["type"] = message.header().field(9).raw();
    out["control_id"] = message.header().field(10).raw();
    out["processing_id"] = message.header().field(11).raw();
    out["version"] = message.header().field(12).raw();
    json::array segments;
    for (std::size_t i = 0; i < message.size(); ++i) {
        const auto segment = message.segment(i);
        json::array fields;
        for (std::size_t f = 1; f <= segment.fields(); ++f)
            fields.emplace_back(layout(segment.field(f)));
        segments.push_back({{"id", segment.id()}, {"fields", trimmed(std::move(fields))}});
    }
    out["segments"] = std::move(segments);
    return out;
}

// The bytes of a corpus file as a listener and a batch reader see them; a block without its FS counts here (R7).
std::vector<std::string> messages_of(const std::string& bytes) {
    std::vector<std::string> out;
    const auto take = [&](std::string_view block) {
        for (const auto message : split_messages(block))
            out.emplace_back(message);
    };
    if (bytes.find('\x0b') == std::string::npos) {
        take(std::string_view(bytes).substr(0, bytes.find('\x1c')));
        return out;
    }
    Framer framer;
    take(std::string_view(bytes).substr(0, bytes.find('\x0b')));
    for (const auto& event : framer.feed(bytes)) {
        if (event.kind == FramerEvent::Kind::block) take(event.bytes);
    }
    if (const auto rest = framer.finish()) take(rest->bytes);
    return out;
}

void compare_folder(const std::filesystem::path& corpus, const std::string& folder, std::size_t at_least) {
    std::size_t files = 0;
    std::size_t read = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpus / folder)) {
        const auto expected = json::parse(test::bytes_of(entry.path())).as_object();
        const auto bytes = test::bytes_of(corpus / std::string(expected.at("file").as_string()));
        ASSERT_FALSE(bytes.empty()) << entry.path();
        ++files;
        const auto& want = expected.at("messages").as_array();
        const auto got = messages_of(bytes);
        EXPECT_EQ(got.size(), want.size()) << entry.path();
        for (std::size_t i = 0; i < std::min(got.size(), want.size()); ++i) {
            ParseOptions options;
            options.charset = LinkCharset::guess;
            options.max_fields = 10'000;
            const auto message = Message::parse(got[i], options);
            ASSERT_TRUE(message) << entry.path() << ' ' << to_string(message.error());
            auto wanted = want[i].as_object();
            const auto escapes = wanted["escapes"].as_array();
            wanted.erase("escapes");
            const auto mine = layout(*message);
            EXPECT_EQ(mine, wanted) << entry.path();
            for (const auto& escape : escapes) {
                const auto& raw = escape.as_object().at("raw").as_string();
                EXPECT_EQ(message->unescape(std::string_view(raw)), escape.as_object().at("text").as_string())
                    << entry.path();
            }
            ++read;
        }
    }
    EXPECT_GE(files, at_least);
    EXPECT_GE(read, at_least - 1);
}

TEST(Corpus, IsReadAsIndependentParsersAgree) {
    const auto corpus = test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    compare_folder(corpus, "expected", 265);
}

TEST(Corpus, IsReadByOurRulesWhereParsersDisagree) {
    const auto corpus = test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    compare_folder(corpus, "policy", 8);
}

TEST(Corpus, HoldsNothingThatTheStrictReaderCannotAnswer) {
    const auto corpus = test::shared_folder() / "hl7/corpus";
    SGL_NEEDS_SHARED(corpus);
    std::size_t read = 0;
    std::size_t doubtful = 0;
    for (const auto& entry : std::filesystem::directory_iterator(corpus)) {
        if (entry.path().extension() != ".hl7") continue;
        for (const auto& bytes : messages_of(test::bytes_of(entry.path()))) {
            const auto message = Message::parse(bytes);
            const auto very_many = entry.path().filename() == "synthetic-er7__very_many_fields.hl7";
            EXPECT_TRUE(message || very_many) << entry.path() << ' ' << to_string(message.error());
            if (!message) continue;
            ++read;
            if (message->charset_invalid()) ++doubtful;
            for (std::size_t i = 0; i < message->size(); ++i) {
                for (std::size_t f = 1; f <= message->segment(i).fields(); ++f)
                    std::ignore = message->segment(i).field(f).text();
            }
        }
    }
    EXPECT_GE(read, 310U);
    EXPECT_GE(doubtful, 2U);
}

}  // namespace
}  // namespace sgl::hl7
