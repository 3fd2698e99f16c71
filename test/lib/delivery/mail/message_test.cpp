#include "lib/delivery/mail/message.hpp"

#include <gmime/gmime.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>

#include "lib/base/text.hpp"

namespace sgl::mail {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

Message sample() {
    Message message;
    message.from = {"Hôpital C – Biologie", "resultats@labo-test.mssante.fr"};
    message.to = Personal<std::string>("dr.martin@medecin-test.mssante.fr");
    message.reply_to = "secretariat@labo-test.mssante.fr";
    message.subject = "XDM/1.0/DDM+CR d'examens biologiques PAT-TROIS DOMINIQUE 28/03/1979";
    message.date = Timestamp::parse("20260302101500+0100").value();
    message.message_id = "0198f5a1.1@labo-test.mssante.fr";
    message.body = "Bonjour,\n\nVeuillez trouver ci-joint un compte rendu d'examens de biologie médicale, daté du 02/03/2026.\n.\nTéléphone : 01 02 03 04 05 \n";
    message.x_mss_codecda = "11502-2";
    message.x_mss_ins = true;
    message.x_mss_nil = "DEV935997";
    message.read_receipt = true;
    std::string binary;
    for (int i = 0; i < 100000; ++i) binary += static_cast<char>(i * 7);
    message.attachments = {{"application/zip", "IHE_XDM.zip", binary}, {"application/pdf", "20260302_CR d'examens_PAT-TROIS_DOMINIQUE.pdf", "%PDF-1.4"}};
    return message;
}

std::string rendered(const Message& message) {
    auto bytes = render(message, "letter-1");
    EXPECT_TRUE(bytes) << to_string(bytes.error());
    return *bytes;
}

/// The message as a foreign MIME reader sees it.
class Read {
public:
    explicit Read(const std::string& bytes) {
        static const bool ready = (g_mime_init(), true);
        EXPECT_TRUE(ready);
        GMimeStream* stream = g_mime_stream_mem_new_with_buffer(bytes.data(), bytes.size());
        GMimeParser* parser = g_mime_parser_new_with_stream(stream);
        message_ = g_mime_parser_construct_message(parser, nullptr);
        g_object_unref(parser);
        g_object_unref(stream);
    }
    Read(const Read&) = delete;
    Read& operator=(const Read&) = delete;
    ~Read() { g_object_unref(message_); }

    std::string header(const char* name) const {
        const char* value = g_mime_object_get_header(GMIME_OBJECT(message_), name);
        return value == nullptr ? "(none)" : value;
    }
    std::string from_label() const {
        InternetAddressList* list = g_mime_message_get_from(message_);
        return internet_address_get_name(internet_address_list_get_address(list, 0));
    }
    int parts() const { return g_mime_multipart_get_count(multipart()); }
    std::string content(int index) const {
        GMimeDataWrapper* wrapper = g_mime_part_get_content(part(index));
        GMimeStream* memory = g_mime_stream_mem_new();
        g_mime_data_wrapper_write_to_stream(wrapper, memory);
        const GByteArray* bytes = g_mime_stream_mem_get_byte_array(GMIME_STREAM_MEM(memory));
        std::string out(reinterpret_cast<const char*>(bytes->data), bytes->len);
        g_object_unref(memory);
        return out;
    }
    std::string file_name(int index) const { return g_mime_part_get_filename(part(index)); }
    std::string type(int index) const {
        gchar* text = g_mime_content_type_get_mime_type(g_mime_object_get_content_type(GMIME_OBJECT(part(index))));
        std::string out(text);
        g_free(text);
        return out;
    }
    std::string disposition(int index) const { return g_mime_object_get_disposition(GMIME_OBJECT(part(index))); }

private:
    GMimeMultipart* multipart() const { return GMIME_MULTIPART(g_mime_message_get_mime_part(message_)); }
    GMimePart* part(int index) const { return GMIME_PART(g_mime_multipart_get_part(multipart(), index)); }
    GMimeMessage* message_;
};

TEST(Message, IsReadBackByAForeignReader) {
    const auto message = sample();
    const Read read(rendered(message));
    EXPECT_EQ(read.from_label(), "Hôpital C – Biologie");
    EXPECT_EQ(read.header("Subject"), message.subject);
    EXPECT_EQ(read.header("To"), "dr.martin@medecin-test.mssante.fr");
    EXPECT_EQ(read.header("Reply-To"), "secretariat@labo-test.mssante.fr");
    EXPECT_EQ(read.header("Message-ID"), "<0198f5a1.1@labo-test.mssante.fr>");
    EXPECT_EQ(read.header("Date"), "Mon, 02 Mar 2026 10:15:00 +0100");
    EXPECT_EQ(read.header("X-MSS-CODECDA"), "11502-2");
    EXPECT_EQ(read.header("X-MSS-INS"), "O");
    EXPECT_EQ(read.header("X-MSS-NIL"), "DEV935997");
    EXPECT_EQ(read.header("X-MSS-MES"), "(none)");
    EXPECT_EQ(read.header("Disposition-Notification-To"), "resultats@labo-test.mssante.fr");
    EXPECT_EQ(read.header("Sender"), "(none)");
    ASSERT_EQ(read.parts(), 3);
    EXPECT_EQ(replace_all(read.content(0), "\r\n", "\n"), message.body);
    for (int i = 1; i <= 2; ++i) {
        const auto& attachment = message.attachments[static_cast<std::size_t>(i) - 1];
        EXPECT_EQ(read.content(i), attachment.bytes);
        EXPECT_EQ(read.file_name(i), attachment.file_name);
        EXPECT_EQ(read.type(i), attachment.type);
        EXPECT_EQ(read.disposition(i), "attachment");
    }
}

TEST(Message, HasCrlfAndShortAsciiLines) {
    const std::string bytes = rendered(sample());
    std::size_t at = 0;
    while (at < bytes.size()) {
        const auto end = bytes.find("\r\n", at);
        ASSERT_NE(end, std::string::npos);
        ASSERT_LE(end - at, 78U) << bytes.substr(at, end - at);
        for (std::size_t i = at; i < end; ++i) ASSERT_TRUE(bytes[i] >= 0x20 && bytes[i] < 0x7f) << bytes.substr(at, end - at);
        at = end + 2;
    }
}

TEST(Message, IsTheSameBytesForTheSameInput) {
    EXPECT_EQ(rendered(sample()), rendered(sample()));
    EXPECT_NE(render(sample(), "letter-2").value(), rendered(sample()));
}

TEST(Message, EncodesWhatIsNotAscii) {
    auto message = sample();
    message.subject = "Réponse – annule et remplace le compte rendu précédent, qui était daté de la semaine passée";
    message.attachments[1].file_name = "20260302_Compte rendu d'examens de biologie médicale – œuf_PAT-TROIS.pdf";
    const std::string bytes = rendered(message);
    const Read read(bytes);
    EXPECT_EQ(read.header("Subject"), message.subject);
    EXPECT_EQ(read.file_name(2), message.attachments[1].file_name);
}

TEST(Message, PointsToTheMailThatItReplaces) {
    auto message = sample();
    message.in_reply_to = "0198f5a1.0@labo-test.mssante.fr";
    message.no_answer_wanted = true;
    const Read read(rendered(message));
    EXPECT_EQ(read.header("In-Reply-To"), "<0198f5a1.0@labo-test.mssante.fr>");
    EXPECT_EQ(read.header("References"), "<0198f5a1.0@labo-test.mssante.fr>");
    EXPECT_EQ(read.header("X-MSS-MES"), "FIN");
}

TEST(Message, SaysNothingOfAnInsWithoutACda) {
    auto message = sample();
    message.x_mss_codecda.clear();
    const Read read(rendered(message));
    EXPECT_EQ(read.header("X-MSS-CODECDA"), "(none)");
    EXPECT_EQ(read.header("X-MSS-INS"), "(none)");
}

TEST(Message, NeverLetsAValueBecomeAHeader) {
    auto message = sample();
    message.subject = "a\r\nBcc: x@y.fr";
    EXPECT_EQ(render(message, "s").error(), (Error{Fault::malformed, "Subject", "a header holds no control character"}));
    message = sample();
    message.from.label = "a\nb";
    EXPECT_EQ(render(message, "s").error().where, "From");
    message = sample();
    message.to = Personal<std::string>("a@b.fr>\r\nRCPT TO:<c@d.fr");
    EXPECT_EQ(render(message, "s").error().where, "To");
    message = sample();
    message.attachments[0].file_name = "a\r\nb";
    EXPECT_EQ(render(message, "s").error().where, "attachment");
    message = sample();
    message.message_id = "a b";
    EXPECT_EQ(render(message, "s").error().where, "Message-ID");
    message = sample();
    message.body = "  \n";
    EXPECT_EQ(render(message, "s").error().fault, Fault::missing);
}

TEST(Message, KeepsEveryBodyWhole) {
    for (const std::string body : {"=3D =\n", "é\n\n\n", ".\n..\n", "From x\n", "mot \nmot\t\n", "\xF0\x9F\xA7\xAA\n"}) {
        auto message = sample();
        message.body = body + std::string(200, 'x') + "é" + std::string(200, ' ') + "\nfin";
        EXPECT_EQ(replace_all(Read(rendered(message)).content(0), "\r\n", "\n"), message.body + "\n");
    }
}

TEST(MailAddress, IsPlain) {
    EXPECT_TRUE(is_mail_address("279035121518989@patient.mssante.fr"));
    EXPECT_TRUE(is_mail_address("dr.o'neil+x@a-b.mssante.fr"));
    for (const char* bad : {"", "a", "@b", "a@", "a@b@c", "a b@c", "a@b c", "<a@b>", "a@.b", "a@b.", "a..b@c", "\"a\"@b", "é@b", "a@b\n", "a,b@c"}) {
        EXPECT_FALSE(is_mail_address(bad)) << bad;
    }
}

}  // namespace
}  // namespace sgl::mail
