// Every message of the public corpus, field by field, against what independent parsers agreed on.
#include <algorithm>
#include <boost/json.hpp>
#include <vector>

#include "hl7/dump.hpp"
#include "hl7/framer.hpp"
#include "hl7/lines.hpp"
#include "hl7/message.hpp"
#include "test/hl7/shared.hpp"

namespace sgl::hl7 {
namespace {

namespace json = boost::json;

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
    for (const auto& entry : std::filesystem::directory_iterator(corpus / folder)) {
        const auto expected = json::parse(test::bytes_of(entry.path()));
        const std::string name(expected.at("file").as_string());
        const auto bytes = test::bytes_of(corpus / name);
        ASSERT_FALSE(bytes.empty()) << entry.path();
        ++files;
        EXPECT_EQ(json::parse(dump(bytes, name)), expected) << entry.path();
    }
    EXPECT_GE(files, at_least);
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
