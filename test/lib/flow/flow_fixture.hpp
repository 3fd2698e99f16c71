// A laboratory in the database of store::test::LaboratoryTest, and the intake before it.
#pragma once

#include "hl7/message.hpp"
#include "lib/flow/intake.hpp"
#include "test/lib/store/laboratory_fixture.hpp"

namespace sgl::flow::test {

class FlowTest : public store::test::LaboratoryTest {
protected:
    FlowTest() {
        clock_.set(now_);
        change_laboratory([](domain::Laboratory::Parts&) {});
    }

    static domain::Address address() { return {{"1 rue des Essais"}, "69001", "LYON", ""}; }

    static domain::Laboratory::Parts parts() {
        domain::Laboratory::Parts parts;
        domain::LegalEntity entity;
        entity.id = store::test::entity_a;
        entity.finess = domain::Finess::parse("690000001").value();
        entity.name = "Biologie des Essais";
        entity.legal_form = "SELAS";
        entity.oid = "1.2.250.1.999.10";
        entity.address = address();
        entity.phone = "0400000000";
        domain::Site site;
        site.id = store::test::site_a;
        site.legal_entity = entity.id;
        site.finess = domain::Finess::parse("690000027").value();
        site.name = "Site des Essais";
        site.address = address();
        site.phone = "0400000001";
        site.oid = "1.2.250.1.999.1";
        domain::User biologist;
        biologist.id = domain::UserId{1};
        biologist.login = "biologiste";
        biologist.professional.rpps = domain::Rpps::parse("899900000017").value();
        biologist.professional.family = "BIOLOGISTE";
        biologist.professional.given = "CLAUDE";
        biologist.professional.speciality = {"G15_10/SM03", "Médecin - Biologie médicale (SM)"};
        biologist.roles = {{site.id, domain::Role::biologist}};
        entity.biologists_in_charge = {biologist.professional};
        auto technician = biologist;
        technician.id = domain::UserId{2};
        technician.login = "technicien";
        technician.roles = {{site.id, domain::Role::technician}};
        domain::Link registration;
        registration.id = domain::LinkId{1};
        registration.site = site.id;
        registration.legal_entity = entity.id;
        registration.name = "gestion";
        registration.order_source = true;
        registration.identity_source = true;
        registration.allowed_senders = {{"GAP", "LABO"}};
        auto analyser = registration;
        analyser.id = domain::LinkId{2};
        analyser.name = "automate";
        analyser.order_source = false;
        analyser.identity_source = false;
        analyser.allowed_senders = {{"AUTO1", "BIO"}};
        parts.links = {registration, analyser};
        domain::Analyte sodium;
        sodium.id = domain::AnalyteId{1};
        sodium.local_code = "NA";
        sodium.loinc = "2951-2";
        sodium.label = "Sodium";
        sodium.loinc_label = "Sodium [Moles/Volume] Sérum/Plasma ; Numérique";
        sodium.chapter = "18719-5";
        sodium.chapter_label = "Biochimie";
        sodium.panels = {"IONO"};
        sodium.unit = "mmol/L";
        sodium.specimen = "SER";
        sodium.ranges = {
            {std::nullopt, std::nullopt, std::nullopt, {Decimal::parse("136").value(), Decimal::parse("145").value()}}};
        auto potassium = sodium;
        potassium.id = domain::AnalyteId{2};
        potassium.local_code = "K";
        potassium.loinc = "2823-3";
        potassium.label = "Potassium";
        potassium.loinc_label = "Potassium [Moles/Volume] Sérum/Plasma ; Numérique";
        potassium.decimals = 1;
        potassium.position = 1;
        potassium.ranges = {
            {std::nullopt, std::nullopt, std::nullopt, {Decimal::parse("3.5").value(), Decimal::parse("5.1").value()}}};
        parts.analytes = {{site.id, sodium}, {site.id, potassium}};
        parts.legal_entities = {entity};
        parts.sites = {site};
        parts.users = {biologist, technician};
        return parts;
    }
    template <class Change>
    void change_laboratory(Change change) {
        auto made = parts();
        change(made);
        laboratory_.replace(std::make_shared<const domain::Laboratory>(std::move(made)));
    }

    static std::string oml(const std::string& control, const std::string& number, const std::string& exam = "IONO",
                           const std::string& name = "PAT-TROIS") {
        return "MSH|^~\\&|GAP|LABO|SGL|LBM|20260314080000||OML^O21^OML_O21|" + control +
               "|P|2.5.1|||||FRA|UNICODE UTF-8\r" +
               "PID|||4056601^^^LBM^PI~279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS||" + name +
               "^DOMINIQUE^DOMINIQUE MARIE^^^^L||19790328|F|||28 Av de "
               "Breteuil^^PARIS^^75007^FRA^H~^^^^^^BDL^^63220|||||||||||||||||||||VALI\r" +
               "ORC|NW|P" + number + "||G" + number + "|||||20260314075500\r" + "OBR|1|P" + number + "||" + exam +
               "||||||||||||899900000017^MEDECIN^ALICE^^^DR\r" + "SPM|1|T" + number +
               "||SER^Sérum^HL70487|||||||P||||||20260314071500\r";
    }
    static std::string oru(const std::string& control, const std::string& number, const std::string& obx) {
        return "MSH|^~\\&|AUTO1|BIO|SGL|LBM|20260314081500||ORU^R01|" + control + "|P|2.5.1|||||FRA|UNICODE UTF-8\r" +
               "OBR|1|P" + number + "|T" + number + "|IONO\r" + obx;
    }
    static std::string obx(const std::string& code, const std::string& value, const std::string& unit = "mmol/L") {
        return "OBX|1|NM|" + code + "||" + value + "|" + unit + "|||||F|||20260314081000\r";
    }

    asio::awaitable<Reply> receiving(std::string block, Intake* intake = nullptr) {
        const domain::LaboratoryPtr current = laboratory_.current();
        std::vector<const domain::Link*> links;
        for (const auto& link : current->links())
            links.push_back(&link);
        Intake& to = intake == nullptr ? intake_ : *intake;
        Reply reply = co_await to.receive(links, std::move(block), now_);
        co_return reply;
    }
    Reply receive(std::string block) { return run(receiving(std::move(block))); }
    static hl7::Message read(const Reply& reply) { return hl7::Message::parse(reply.bytes).value(); }
    /// "AA", "AE"…
    static std::string code(const Reply& reply) { return read(reply).text("MSA-1"); }

    ManualClock clock_{now_};
    LiveLaboratory laboratory_;
    Intake intake_{executor(), pool_, clock_, laboratory_, false};
};

}  // namespace sgl::flow::test
