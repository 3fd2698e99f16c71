#include "lib/delivery/mssante/letter_mail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zip.h>

#include <map>

#include "lib/base/digest.hpp"
#include "lib/base/text.hpp"
#include "test/lib/compose/sample_report.hpp"
#include "test/lib/delivery/mssante/samples.hpp"

namespace sgl::delivery {
namespace {

using domain::Channel;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Documents documents{"<ClinicalDocument xmlns=\"urn:hl7-org:v3\"/>", "%PDF-1.4 …\n%%EOF\n"};

std::string mail(const Letter& letter, const domain::Report& report, const MssPartner& partner = test::operator_partner()) {
    auto made = letter_mail(letter, report, documents, partner);
    EXPECT_TRUE(made) << (made ? "" : to_string(made.error()));
    return made ? made->bytes : std::string();
}

std::string header(std::string_view mail, std::string_view name) {
    std::string head = "\r\n" + replace_all(std::string(mail.substr(0, mail.find("\r\n\r\n"))), "\r\n ", " ");
    const auto at = head.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return {};
    const auto start = at + name.size() + 4;
    return head.substr(start, head.find("\r\n", start) - start);
}

/// The bytes of the n-th attachment.
std::string attachment(std::string_view mail, int number) {
    std::size_t at = 0;
    for (int i = 0; i < number; ++i) at = mail.find("Content-Disposition: attachment", at + 1);
    const auto start = mail.find("\r\n\r\n", at) + 4;
    return base64_decode(mail.substr(start, mail.find("\r\n--", start) - start)).value();
}

std::map<std::string, std::string> unzipped(std::string bytes) {
    std::map<std::string, std::string> files;
    zip_error_t error;
    zip_error_init(&error);
    auto* source = zip_source_buffer_create(bytes.data(), bytes.size(), 0, &error);
    auto* archive = zip_open_from_source(source, ZIP_RDONLY, &error);
    if (archive == nullptr) return files;
    for (zip_int64_t i = 0; i < zip_get_num_entries(archive, 0); ++i) {
        zip_stat_t stat;
        zip_stat_index(archive, static_cast<zip_uint64_t>(i), 0, &stat);
        std::string content(stat.size, '\0');
        auto* file = zip_fopen_index(archive, static_cast<zip_uint64_t>(i), 0);
        zip_fread(file, content.data(), content.size());
        zip_fclose(file);
        files[stat.name] = content;
    }
    zip_discard(archive);
    return files;
}

TEST(LetterMail, HasTheHeadersOfAProfessionalMail) {
    const auto bytes = mail(test::letter(Channel::mss_professional), test::sample_report());
    EXPECT_EQ(header(bytes, "To"), "paul.medecin@medecin-test.mssante.fr");
    EXPECT_THAT(header(bytes, "From"), HasSubstr("<resultats@labo-alpes-test.mssante.fr>"));
    EXPECT_EQ(header(bytes, "Reply-To"), "secretariat@labo-alpes-test.mssante.fr");
    EXPECT_EQ(header(bytes, "Subject"), "XDM/1.0/DDM+CR d'examens biologiques PAT-TROIS DOMINIQUE 28/03/1979");
    EXPECT_EQ(header(bytes, "Message-ID"), "<018e4b5e-7a10-7c3f-9d21-00000000aa01@labo-alpes-test.mssante.fr>");
    EXPECT_EQ(header(bytes, "Date"), "Sun, 15 Mar 2026 11:03:00 +0100");
    EXPECT_EQ(header(bytes, "X-MSS-CODECDA"), "11502-2");
    EXPECT_EQ(header(bytes, "X-MSS-INS"), "O");
    EXPECT_EQ(header(bytes, "X-MSS-NIL"), "");
    EXPECT_EQ(header(bytes, "X-MSS-MES"), "");
    EXPECT_EQ(header(bytes, "Sender"), "");
    EXPECT_THAT(bytes, HasSubstr("filename=\"20260315_CR d'examens biologiques_PAT-TROIS_DOMINIQUE_2603150042.pdf\""));
    EXPECT_EQ(attachment(bytes, 2), documents.pdf);
}

TEST(LetterMail, NamesTheProductOnlyWhenItHasANumber) {
    auto partner = test::operator_partner();
    partner.nil = "DEV935997";
    EXPECT_EQ(header(mail(test::letter(Channel::mss_professional), test::sample_report(), partner), "X-MSS-NIL"), "DEV935997");
}

TEST(LetterMail, IsTheSameToTheByteWhenRepeatedAndAnotherForAnotherLetter) {
    auto first = test::letter(Channel::mss_professional);
    auto again = first;
    again.attempt = 7;
    again.in_doubt = true;
    const auto report = test::sample_report();
    EXPECT_EQ(mail(first, report), mail(again, report));
    const auto other = test::letter(Channel::mss_professional, "018e4b5e-7a10-7c3f-9d21-00000000aa02");
    EXPECT_NE(header(mail(first, report), "Message-ID"), header(mail(other, report), "Message-ID"));
    const auto one = unzipped(attachment(mail(first, report), 1)).at("IHE_XDM/SUBSET01/METADATA.XML");
    const auto two = unzipped(attachment(mail(other, report), 1)).at("IHE_XDM/SUBSET01/METADATA.XML");
    EXPECT_NE(one, two);  // another submission of the same document
}

TEST(LetterMail, CarriesTheArchiveWithTheQualifiedIdentity) {
    const auto files = unzipped(attachment(mail(test::letter(Channel::mss_patient), test::sample_report()), 1));
    ASSERT_EQ(files.size(), 4U);
    EXPECT_EQ(files.at("IHE_XDM/SUBSET01/DOC0001.XML"), documents.n3);
    const auto& metadata = files.at("IHE_XDM/SUBSET01/METADATA.XML");
    EXPECT_THAT(metadata, HasSubstr("279035121518989^^^&amp;1.2.250.1.213.1.4.10&amp;ISO^NH"));
    EXPECT_THAT(metadata, HasSubstr("IPP0004711^^^&amp;1.2.250.1.213.99.4.1.1&amp;ISO^PI"));
    EXPECT_THAT(metadata, HasSubstr(to_hex(sha1(documents.n3))));
    EXPECT_THAT(metadata, HasSubstr("20260315100300"));  // submissionTime, from the letter, UTC
    EXPECT_THAT(metadata, HasSubstr("PID-11|^^^^^^BDL^^63220"));
    EXPECT_THAT(metadata, Not(HasSubstr("urn:action:extraMetadataSlot")));
}

TEST(LetterMail, HoldsNoInsAnywhereWhenItIsNotQualified) {
    const auto bytes = mail(test::letter(Channel::mss_professional), test::sample_without_qualified_ins());
    EXPECT_EQ(header(bytes, "X-MSS-INS"), "N");
    EXPECT_THAT(bytes, Not(HasSubstr("279035121518989")));
    for (const auto& [name, content] : unzipped(attachment(bytes, 1))) {
        EXPECT_THAT(content, Not(HasSubstr("279035121518989"))) << name;
        EXPECT_THAT(content, Not(HasSubstr("1.2.250.1.213.1.4.10"))) << name;
    }
    EXPECT_THAT(unzipped(attachment(bytes, 1)).at("IHE_XDM/SUBSET01/METADATA.XML"),
                HasSubstr("value=\"IPP0004711^^^&amp;1.2.250.1.213.99.4.1.1&amp;ISO^PI\""));
}

TEST(LetterMail, RefusesADocumentThatTellsAnInsThatMayNotLeave) {
    Documents wrong = documents;
    wrong.n3 = "<id extension=\"279035121518989\"/>";
    const auto made = letter_mail(test::letter(Channel::mss_professional), test::sample_without_qualified_ins(), wrong, test::operator_partner());
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().where, "documents");
}

TEST(LetterMail, GoesToThePatientOnlyAtTheAddressMadeOfAQualifiedIns) {
    auto letter = test::letter(Channel::mss_patient);
    const auto unqualified = letter_mail(letter, test::sample_without_qualified_ins(), documents, test::operator_partner());
    ASSERT_FALSE(unqualified);
    EXPECT_EQ(unqualified.error().where, "patient.ins");
    letter.address = Personal<std::string>("279035121518001@patient.mssante.fr");
    const auto other = letter_mail(letter, test::sample_report(), documents, test::operator_partner());
    ASSERT_FALSE(other);
    EXPECT_EQ(other.error().where, "letter.address");
    EXPECT_EQ(other.error().what.find("27903"), std::string::npos);
}

Letter withdrawal(Channel channel) {
    auto letter = test::letter(channel, "018e4b5e-7a10-7c3f-9d21-00000000aa03");
    letter.act = domain::Act::withdraw;
    return letter;
}

TEST(LetterMail, StandsBelowTheFirstMailAboutTheReport) {  // S ECO.2.2.2
    auto letter = test::letter(Channel::mss_professional);
    EXPECT_EQ(header(mail(letter, test::sample_report()), "In-Reply-To"), "");
    const auto first = withdrawal(Channel::mss_professional).id;
    letter.first_arrived = first;
    for (const auto* name : {"In-Reply-To", "References"}) {
        EXPECT_EQ(header(mail(letter, test::sample_second_version()), name),
                  "<" + message_id(first, test::operator_partner()) + ">");
    }
}

TEST(LetterMail, WithdrawsWithTheSameDocumentAndCallsItDeleted) {
    for (const auto& report : {test::sample_report(), test::sample_second_version()}) {
        const auto sent = mail(test::letter(Channel::mss_professional), report);
        const auto bytes = mail(withdrawal(Channel::mss_professional), report);
        EXPECT_EQ(header(bytes, "Subject"), header(sent, "Subject")) << "so that it is filed beside what it withdraws";
        EXPECT_NE(header(bytes, "Message-ID"), header(sent, "Message-ID"));
        EXPECT_EQ(header(bytes, "X-MSS-CODECDA"), "11502-2");
        EXPECT_EQ(header(bytes, "X-MSS-INS"), "O");
        EXPECT_EQ(header(bytes, "X-MSS-MES"), "") << "the recipient may answer";
        EXPECT_EQ(attachment(bytes, 2), documents.pdf);
        const auto files = unzipped(attachment(bytes, 1));
        EXPECT_EQ(files.at("IHE_XDM/SUBSET01/DOC0001.XML"), documents.n3);
        const auto& metadata = files.at("IHE_XDM/SUBSET01/METADATA.XML");
        EXPECT_THAT(metadata, HasSubstr("<rim:Slot name=\"urn:action:extraMetadataSlot\"><rim:ValueList><rim:Value>D</rim:Value>"));
        EXPECT_THAT(metadata, HasSubstr(report.ids.document_oid));
        EXPECT_THAT(metadata, Not(HasSubstr("<rim:Value>C</rim:Value>")));
    }
}

TEST(LetterMail, SaysInItsFirstSentenceThatTheReportNoLongerCounts) {
    const auto partner = test::operator_partner();
    const auto professional = mail_text(withdrawal(Channel::mss_professional), test::sample_second_version(), partner);
    EXPECT_THAT(professional, StartsWith("Ce compte rendu est annulé : n'en tenez pas compte.\n"));
    EXPECT_THAT(professional, HasSubstr("le compte rendu d'examens de biologie médicale de votre patient du 16/03/2026 (version 2, prélèvement du 15/03/2026)"));
    EXPECT_THAT(professional, HasSubstr("retirez-le du dossier"));
    EXPECT_THAT(professional, HasSubstr("Téléphone : 0400000001"));
    EXPECT_THAT(professional, HasSubstr("Laboratoire des Deux Rives"));
    EXPECT_THAT(professional, Not(HasSubstr("annule et remplace")));
    EXPECT_THAT(professional, Not(HasSubstr("PAT-TROIS")));
    const auto patient = mail_text(withdrawal(Channel::mss_patient), test::sample_report(), partner);
    EXPECT_THAT(patient, StartsWith("Ce compte rendu est annulé : n'en tenez pas compte.\n"));
    EXPECT_THAT(patient, HasSubstr("votre compte rendu d'examens de biologie médicale du 15/03/2026 (version 1"));
    EXPECT_THAT(patient, HasSubstr("adressez-vous au laboratoire ou à votre médecin"));
}

TEST(LetterMail, LeavesThePdfOfAWithdrawalOutWhereItIsSetSo) {
    auto partner = test::operator_partner();
    partner.withdrawal_with_pdf = false;
    const auto bytes = mail(withdrawal(Channel::mss_patient), test::sample_report(), partner);
    EXPECT_THAT(bytes, Not(HasSubstr("application/pdf")));
    EXPECT_EQ(unzipped(attachment(bytes, 1)).size(), 4U);
    EXPECT_THAT(mail_text(withdrawal(Channel::mss_patient), test::sample_report(), partner), Not(HasSubstr("est joint à ce message")));
    EXPECT_EQ(attachment(mail(test::letter(Channel::mss_patient), test::sample_report(), partner), 2), documents.pdf) << "a delivery has it always";
}

TEST(LetterMail, WithdrawsAtTheSameAddressesAsItDelivers) {
    auto letter = withdrawal(Channel::mss_patient);
    letter.address = Personal<std::string>("279035121518001@patient.mssante.fr");
    EXPECT_EQ(letter_mail(letter, test::sample_report(), documents, test::operator_partner()).error().where, "letter.address");
    const auto unqualified = mail(withdrawal(Channel::mss_professional), test::sample_without_qualified_ins());
    EXPECT_EQ(header(unqualified, "X-MSS-INS"), "N");
    EXPECT_THAT(unqualified, Not(HasSubstr("279035121518989")));
}

TEST(LetterMail, SaysThatItReplacesTheFormerVersion) {
    const auto letter = test::letter(Channel::mss_professional);
    const auto report = test::sample_second_version();
    EXPECT_THAT(mail_text(letter, report, test::operator_partner()),
                StartsWith("Ce message annule et remplace la version 1 de ce compte rendu ; la version 2 ci-jointe est du 16/03/2026.\n"));
    EXPECT_THAT(unzipped(attachment(mail(letter, report), 1)).at("IHE_XDM/SUBSET01/METADATA.XML"),
                HasSubstr("<rim:Slot name=\"urn:action:extraMetadataSlot\"><rim:ValueList><rim:Value>C</rim:Value>"));
}

TEST(LetterMail, SaysInItsFirstWordsThatResultsArePartialAndThenThatTheyAreCompleted) {
    auto report = test::sample_report();
    report.kind = domain::ReportKind::partial;
    report.awaited = {{"Ferritine", "18719-5", "FERR"}};
    const auto letter = test::letter(Channel::mss_professional);
    const auto partial = mail_text(letter, report, test::operator_partner());
    EXPECT_THAT(partial, StartsWith("Résultats partiels : d'autres résultats suivront"));
    EXPECT_THAT(partial, Not(HasSubstr("Ferritine"))) << "no examination by its name in a mail";
    auto second = test::sample_second_version();
    second.replaces = domain::Replaced{domain::ReportKind::partial, report.validated_at, false};
    EXPECT_THAT(mail_text(letter, second, test::operator_partner()),
                StartsWith("Ce message annule et remplace le compte rendu partiel (version 1) de ce dossier ; la version 2 ci-jointe, complète, est du 16/03/2026.\n"));
}

TEST(LetterMail, IsPoliteAndTellsNoResultNorPatient) {
    const auto text = mail_text(test::letter(Channel::mss_professional), test::sample_report(), test::operator_partner());
    EXPECT_THAT(text, HasSubstr("le compte rendu d'examens de biologie médicale de votre patient (prélèvement du 15/03/2026)"));
    EXPECT_THAT(text, HasSubstr("12 rue de la République, 69002 LYON"));
    EXPECT_THAT(text, HasSubstr("Téléphone : 0400000001"));
    EXPECT_THAT(text, HasSubstr("Pour répondre : secretariat@labo-alpes-test.mssante.fr"));
    EXPECT_THAT(text, Not(HasSubstr("PAT-TROIS")));
    EXPECT_THAT(text, Not(HasSubstr("Hémoglobine")));
    EXPECT_THAT(mail_text(test::letter(Channel::mss_patient), test::sample_report(), test::operator_partner()),
                HasSubstr("votre compte rendu d'examens"));
}

}  // namespace
}  // namespace sgl::delivery
