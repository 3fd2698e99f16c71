// The coded entries, in the order of spec/cr-bio.md section 5.
#include <algorithm>

#include "cda/detail_write.hpp"
#include "cda/templates.hpp"
#include "lib/base/digest.hpp"

namespace sgl::cda::detail {

namespace {

template <class... F>
struct Overloaded : F... {
    using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;  // clang 14 does not deduce aggregates by itself

void reference(XmlWriter& w, const std::string& anchor) { w.element("reference", {{"value", "#" + anchor}}); }

// 5.2: LOINC, or an empty code with a translation; always the label's place in the narrative.
void examination_code(XmlWriter& w, const ExaminationCode& examination, const std::string& anchor) {
    const auto children = [&] {
        w.element("originalText", {}, [&] { reference(w, anchor); });
        if (examination.translation) code(w, *examination.translation, "translation");
    };
    if (examination.loinc) {
        const auto& loinc = *examination.loinc;
        w.element("code",
                  {{"code", loinc.code},
                   {"displayName", loinc.display},
                   {"codeSystem", loinc.system},
                   {"codeSystemName", "LOINC"}},
                  [&] {
                      if (loinc.system != codes::loinc_system)
                          w.refuse(Fault::malformed, "a code of another system than LOINC goes to translation");
                      w.require(!loinc.code.empty() && !loinc.display.empty(), "a LOINC code comes with its label");
                      children();
                  });
    } else {
        w.element("code", {}, [&] {
            w.require(examination.translation.has_value(), "an examination without LOINC code needs a translation");
            children();
        });
    }
}

void value(XmlWriter& w, const Value& value, const std::string& anchor) {
    std::visit(
        Overloaded{
            [&](const Quantity& q) {
                w.require(!q.unit.empty(), "a quantity needs its UCUM unit", "value/@unit");
                w.element("value", {{"xsi:type", "PQ"}, {"value", q.value.text()}, {"unit", q.unit}});
            },
            [&](const Bound& bound) {
                w.element("value", {{"xsi:type", "IVL_PQ"}}, [&] {
                    w.element(bound.side == Bound::Side::below ? "high" : "low",
                              {{"value", bound.limit.text()},
                               {"unit", bound.unit},
                               {"inclusive", bound.inclusive ? "true" : "false"}});
                });
            },
            [&](const Number& number) { w.element("value", {{"xsi:type", "REAL"}, {"value", number.value.text()}}); },
            [&](const Code& coded) {
                w.require(!coded.code.empty() && !coded.system.empty() && !coded.display.empty(),
                          "a coded result needs code, system and label", "value");
                w.element("value",
                          {{"xsi:type", "CD"},
                           {"code", coded.code},
                           {"displayName", coded.display},
                           {"codeSystem", coded.system}},
                          [&] { w.element("originalText", {}, [&] { reference(w, anchor); }); });
            },
            [&](const Qualitative& words) {
                w.require(!words.text.empty(), "an empty result", "value");
                w.element("value", {{"xsi:type", "CD"}},
                          [&] { w.element("originalText", {}, [&] { reference(w, anchor); }); });
            },
            [&](const FreeText& words) {
                w.require(!words.text.empty(), "an empty result", "value");
                w.element("value", {{"xsi:type", "ST"}}, words.text);
            },
        },
        value);
}

void interpretation(XmlWriter& w, const std::string& flag) {
    if (flag.empty()) return;
    const auto* entry = codes::find(codes::interpretations, flag);
    if (entry == nullptr)
        w.refuse(Fault::unsupported, "a flag outside the value set of interpretations", "interpretationCode");
    else
        code(w, *entry, "interpretationCode");
}

void comment_act(XmlWriter& w, const std::string& anchor) {
    w.element("act", {{"classCode", "ACT"}, {"moodCode", "EVN"}}, [&] {
        template_id(w, templates::comment_ccd);
        template_id(w, templates::comment_ihe);
        template_id(w, templates::comment_fr);
        code(w, codes::Entry{"48767-8", "Commentaire", codes::loinc_system});
        w.element("text", {}, [&] { reference(w, anchor); });
        w.element("statusCode", {{"code", "completed"}});
    });
}

void comment(XmlWriter& w, const std::string& anchor) {
    w.element("entryRelationship", {{"typeCode", "SUBJ"}}, [&] { comment_act(w, anchor); });
}

void reference_range(XmlWriter& w, const ReferenceRange& range) {
    if (!range.low && !range.high) return;  // words only: the narrative says it
    w.element("referenceRange", {{"typeCode", "REFV"}}, [&] {
        w.element("observationRange", {{"classCode", "OBS"}, {"moodCode", "EVN.CRT"}}, [&] {
            if (range.low && range.high && *range.high < *range.low)
                w.refuse(Fault::malformed, "the low limit is above the high one", "value");
            w.element("value", {{"xsi:type", "IVL_PQ"}}, [&] {
                if (range.low) w.element("low", {{"value", range.low->text()}, {"unit", range.unit}});
                if (range.high) w.element("high", {{"value", range.high->text()}, {"unit", range.unit}});
            });
            interpretation(w, "N");
        });
    });
}

void method(XmlWriter& w, const Observation& observation, const std::string& anchor) {
    const auto children = [&] { w.element("originalText", {}, [&] { reference(w, anchor); }); };
    if (observation.method) {
        const auto& method = *observation.method;
        w.require(!method.code.empty() && !method.display.empty(), "a method comes with its label", "methodCode");
        w.element("methodCode",
                  {{"code", method.code}, {"displayName", method.display}, {"codeSystem", method.system}}, children);
    } else if (!observation.method_text.empty()) {
        w.element("methodCode", {}, children);
    }
}

// 5.8
void performer(XmlWriter& w, const Act& performer) {
    w.element("performer", {{"typeCode", "PRF"}}, [&] {
        template_id(w, templates::laboratory_performer);
        template_id(w, templates::body_performer);
        time_high(w, performer.time);
        const auto& who = performer.who;
        w.require(who.organisation.has_value(), "a performing laboratory is an organisation", "assignedEntity");
        w.element("assignedEntity", {}, [&] {
            professional(w, who);
            if (!who.name.family.empty()) w.element("assignedPerson", {}, [&] { person_name(w, who.name); });
            if (who.organisation) organisation(w, *who.organisation, "representedOrganization", Setting::unknown);
        });
    });
}

void observation(XmlWriter& w, const Observation& result, const Anchors& anchors, std::size_t index) {
    w.element("observation", {{"classCode", "OBS"}, {"moodCode", "EVN"}}, [&] {
        template_id(w, templates::observation_ihe);
        template_id(w, templates::observation_fr);
        if (result.id) id(w, *result.id);
        w.require(!result.code.label.empty(), "an examination needs a label for its reader", "code");
        examination_code(w, result.code, anchors.label(index));
        w.element("statusCode", {{"code", result.aborted ? "aborted" : "completed"}});
        if (result.aborted) {
            if (result.value) w.refuse(Fault::malformed, "an examination that was not done has no value", "value");
        } else {
            w.require(result.value.has_value(), "a completed result has a value", "value");
            w.require(result.time.has_value(), "a completed result has its time", "effectiveTime");
        }
        if (result.time) time_value(w, "effectiveTime", *result.time);
        if (result.value) value(w, *result.value, anchors.value(index));
        interpretation(w, result.interpretation);
        method(w, result, anchors.method(index));
        if (result.performer) performer(w, *result.performer);
        for (std::size_t n = 0; n < result.previous.size(); ++n) {
            const auto& previous = result.previous[n];
            w.element("entryRelationship", {{"typeCode", "REFR"}}, [&] {
                w.element("observation", {{"classCode", "OBS"}, {"moodCode", "EVN"}}, [&] {
                    examination_code(w, result.code, anchors.label(index));
                    w.element("statusCode", {{"code", "completed"}});
                    time_value(w, "effectiveTime", previous.time);
                    value(w, previous.value, anchors.previous(index, n));
                    interpretation(w, previous.interpretation);
                });
            });
        }
        for (std::size_t n = 0; n < result.comments.size(); ++n) comment(w, anchors.comment(index, n));
        if (result.range) reference_range(w, *result.range);
    });
}

// 5.4: SNOMED CT, or no code; always the germ's place in the narrative.
void germ(XmlWriter& w, const Isolate& isolate, const std::string& anchor) {
    const auto children = [&] {
        w.element("originalText", {}, [&] { reference(w, anchor); });
        if (isolate.translation) code(w, *isolate.translation, "translation");
    };
    if (!isolate.germ) {
        w.element("code", {}, children);
        return;
    }
    const auto& coded = *isolate.germ;
    if (coded.system != codes::snomed_system)
        w.refuse(Fault::malformed, "a code of another system than SNOMED CT goes to translation", "code");
    w.require(!coded.code.empty() && !coded.display.empty(), "a germ's code comes with its label", "code");
    w.element("code",
              {{"code", coded.code},
               {"displayName", coded.display},
               {"codeSystem", coded.system},
               {"codeSystemName", "SNOMED CT"}},
              children);
}

// 5.4, with the battery of 5.3.
void isolate(XmlWriter& w, const Isolate& isolate, const Anchors& anchors) {
    w.element("organizer", {{"classCode", "CLUSTER"}, {"moodCode", "EVN"}}, [&] {
        template_id(w, templates::isolate_ihe);
        template_id(w, templates::isolate_fr);
        w.element("statusCode", {{"code", status_code(isolate.progress)}});
        if (isolate.time) time_value(w, "effectiveTime", *isolate.time);
        w.element("specimen", {{"typeCode", "SPC"}}, [&] {
            w.element("specimenRole", {{"classCode", "SPEC"}}, [&] {
                id(w, isolate.id);
                w.element("specimenPlayingEntity", {{"classCode", "MIC"}}, [&] {
                    w.require(!isolate.label.empty(), "an isolate names its germ", "code");
                    germ(w, isolate, anchors.germ());
                });
            });
        });
        for (std::size_t i = 0; i < isolate.observations.size(); ++i)
            w.element("component", {}, [&] { observation(w, isolate.observations[i], anchors, i); });
        if (!isolate.antibiogram.empty()) {
            w.element("component", {}, [&] {
                w.element("organizer", {{"classCode", "BATTERY"}, {"moodCode", "EVN"}}, [&] {
                    template_id(w, templates::battery_ihe);
                    template_id(w, templates::battery_fr);
                    code(w, codes::antibiogram);
                    w.element("statusCode", {{"code", status_code(isolate.progress)}});
                    for (std::size_t i = 0; i < isolate.antibiogram.size(); ++i) {
                        const auto& line = isolate.antibiogram[i];
                        if (!line.interpretation.empty() && codes::find(codes::susceptibilities, line.interpretation) == nullptr)
                            w.refuse(Fault::malformed, "an antibiogram says S, I or R", "interpretationCode");
                        w.element("component", {}, [&] { observation(w, line, anchors.antibiogram(), i); });
                    }
                });
            });
        }
        for (std::size_t n = 0; n < isolate.comments.size(); ++n)  // no typeCode: the model of CDA knows COMP alone here
            w.element("component", {}, [&] { comment_act(w, anchors.group_comment(n)); });
    });
}

// 5.5
void collection(XmlWriter& w, const Specimen& specimen) {
    w.element("procedure", {{"classCode", "PROC"}, {"moodCode", "EVN"}}, [&] {
        template_id(w, templates::collection_ihe);
        template_id(w, templates::collection_fr);
        if (specimen.act)
            code(w, *specimen.act);
        else
            code(w, codes::Entry{"33882-2", "Prélèvement", codes::loinc_system});
        w.element("effectiveTime", {}, [&] { time_value(w, "high", specimen.collected); });
        w.element("participant", {{"typeCode", "PRD"}}, [&] {
            w.element("participantRole", {{"classCode", "SPEC"}}, [&] {
                id(w, specimen.id);
                w.element("playingEntity", {}, [&] { code(w, specimen.type); });
            });
        });
        if (!specimen.received) return;
        w.element("entryRelationship", {{"typeCode", "COMP"}}, [&] {
            w.element("act", {{"classCode", "ACT"}, {"moodCode", "EVN"}}, [&] {
                template_id(w, templates::reception_ihe);
                template_id(w, templates::reception_fr);
                w.element("code", {{"code", "SPRECEIVE"},
                                   {"displayName", "Échantillon reçu"},
                                   {"codeSystem", codes::ihe_act_code_system},
                                   {"codeSystemName", "IHEActCode"}});
                time_value(w, "effectiveTime", *specimen.received);
            });
        });
    });
}

// 5.7
void validator(XmlWriter& w, const Act& validator, const CrBio& report) {
    const auto& who = validator.who;
    const auto same = [&](const Act& signer) {
        return !who.ids.empty() && std::ranges::find(signer.who.ids, who.ids.front()) != signer.who.ids.end();
    };
    w.element("participant", {{"typeCode", "AUTHEN"}}, [&] {
        if (!same(report.legal_authenticator) && std::ranges::none_of(report.authenticators, same))
            w.refuse(Fault::conflict, "a validating biologist must be an authenticator of the header");
        template_id(w, templates::validator);
        template_id(w, templates::body_participant);
        time_high(w, validator.time);
        w.element("participantRole", {}, [&] {
            professional(w, who);
            w.element("playingEntity", {}, [&] { person_name(w, who.name); });
        });
    });
}

void results_entry(XmlWriter& w, const ResultGroup& group, const Code* section_code, const Anchors& anchors,
                   const CrBio& report) {
    w.element("entry", {{"typeCode", "DRIV"}}, [&] {
        template_id(w, templates::results_entry_ihe);
        template_id(w, templates::results_entry_fr);
        w.element("act", {{"classCode", "ACT"}, {"moodCode", "EVN"}}, [&] {
            // LOINC, or none: a national waiting code stays with the section.
            if (section_code != nullptr && section_code->system == codes::loinc_system)
                code(w, *section_code);
            else
                w.element("code");
            w.element("statusCode", {{"code", status_code(group.progress)}});
            for (const auto& biologist : group.validators) validator(w, biologist, report);
            w.require(!group.specimens.empty() || !group.observations.empty() || !group.isolates.empty(),
                      "an entry needs a result or a specimen");
            for (const auto& specimen : group.specimens)
                w.element("entryRelationship", {{"typeCode", "COMP"}}, [&] { collection(w, specimen); });
            for (std::size_t i = 0; i < group.observations.size(); ++i)
                w.element("entryRelationship", {{"typeCode", "COMP"}},
                          [&] { observation(w, group.observations[i], anchors, i); });
            for (std::size_t i = 0; i < group.isolates.size(); ++i)
                w.element("entryRelationship", {{"typeCode", "COMP"}},
                          [&] { isolate(w, group.isolates[i], anchors.isolate(i)); });
            for (std::size_t n = 0; n < group.comments.size(); ++n) comment(w, anchors.group_comment(n));
        });
    });
}

void chapter(XmlWriter& w, const Chapter& chapter, std::size_t number, const CrBio& report) {
    const auto name = "c" + std::to_string(number + 1);
    w.element("section", {}, [&] {
        template_id(w, templates::chapter_ihe);
        template_id(w, templates::chapter_fr);
        code(w, chapter.code);
        w.require(!chapter.title.empty(), "a chapter needs a title", "title");
        w.element("title", {}, chapter.title);
        if (chapter.results.empty() == chapter.sub_chapters.empty())
            w.refuse(Fault::malformed, "a chapter holds either results or sub-chapters");
        if (chapter.sub_chapters.empty()) {
            narrative(w, chapter.results, {name});
            results_entry(w, chapter.results, &chapter.code, {name}, report);
        }
        for (std::size_t i = 0; i < chapter.sub_chapters.size(); ++i) {
            const auto& part = chapter.sub_chapters[i];
            const Anchors anchors{name + "s" + std::to_string(i + 1)};
            w.element("component", {}, [&] {
                w.element("section", {}, [&] {
                    template_id(w, templates::sub_chapter_ihe);
                    template_id(w, templates::sub_chapter_fr);
                    if (part.code && part.code->system != codes::loinc_system)
                        w.refuse(Fault::malformed, "the code of a sub-chapter is LOINC, or absent", "code");
                    if (part.code) code(w, *part.code);
                    if (!part.title.empty()) w.element("title", {}, part.title);
                    narrative(w, part.results, anchors);
                    results_entry(w, part.results, part.code ? &*part.code : nullptr, anchors, report);
                });
            });
        }
    });
}

void comment_section(XmlWriter& w, const ReportComment& comment, std::size_t number) {
    w.element("section", {}, [&] {
        template_id(w, templates::comment_section_hl7);
        template_id(w, templates::comment_section_ihe);
        template_id(w, templates::comment_section_fr);
        code(w, codes::Entry{"55112-7", "Commentaire", codes::loinc_system});
        w.element("title", {}, comment.title.empty() ? "Commentaire" : comment.title);
        w.require(!comment.text.empty(), "an empty comment", "text");
        w.element("text", {}, [&] {
            w.element("content", {{"ID", "comment-" + std::to_string(number + 1)}}, comment.text);
        });
    });
}

// 5.6
void pdf_copy(XmlWriter& w, const CrBio& report) {
    constexpr codes::Entry copy{"55108-5", "Copie du document", codes::loinc_system};
    w.element("section", {}, [&] {
        template_id(w, templates::pdf_copy_section);
        bare_oid(w, "id", report.id + ".1");
        code(w, copy);
        w.element("title", {}, copy.label);
        w.element("text", {}, [&] {
            w.element("content", {{"ID", "pdf-title"}}, copy.label);
            w.element("br");
            w.element("renderMultiMedia", {{"referencedObject", "pdf-copy"}});
        });
        w.element("entry", {}, [&] {
            w.element("organizer", {{"classCode", "CLUSTER"}, {"moodCode", "EVN"}}, [&] {
                template_id(w, templates::attached_document);
                bare_oid(w, "id", report.id + ".2");
                code(w, codes::Entry{"55107-7", "Document attaché", codes::loinc_system});
                w.element("statusCode", {{"code", "completed"}});
                w.element("component", {}, [&] {
                    w.element("observation", {{"classCode", "OBS"}, {"moodCode", "EVN"}}, [&] {
                        template_id(w, templates::simple_observation_ihe);
                        template_id(w, templates::simple_observation_fr);
                        template_id(w, templates::attached_document_type);
                        bare_oid(w, "id", report.id + ".3");
                        code(w, codes::Entry{"69764-9", "Type de document", codes::loinc_system});
                        w.element("text", {}, [&] { reference(w, "pdf-title"); });
                        w.element("statusCode", {{"code", "completed"}});
                        w.element("effectiveTime", {{"nullFlavor", "NA"}});
                        w.element("value", {{"xsi:type", "CD"},
                                            {"code", copy.code},
                                            {"displayName", copy.label},
                                            {"codeSystem", copy.system},
                                            {"codeSystemName", "LOINC"}});
                    });
                });
                w.element("component", {}, [&] {
                    w.element("observationMedia", {{"classCode", "OBS"}, {"moodCode", "EVN"}, {"ID", "pdf-copy"}}, [&] {
                        if (!report.pdf.starts_with("%PDF-")) w.refuse(Fault::malformed, "the PDF copy is not a PDF", "value");
                        w.element("value", {{"mediaType", "application/pdf"}, {"representation", "B64"}},
                                  base64_encode(report.pdf));
                    });
                });
            });
        });
    });
}

}  // namespace

void body(XmlWriter& w, const CrBio& report) {
    w.element("component", {}, [&] {
        w.element("structuredBody", {}, [&] {
            w.require(!report.chapters.empty(), "a report has at least one chapter", "component");
            const auto component = [&](const auto& section) { w.element("component", {}, section); };
            for (std::size_t i = 0; i < report.comments.size(); ++i)
                component([&] { comment_section(w, report.comments[i], i); });
            for (std::size_t i = 0; i < report.chapters.size(); ++i)
                component([&] { chapter(w, report.chapters[i], i, report); });
            component([&] { pdf_copy(w, report); });
        });
    });
}

}  // namespace sgl::cda::detail
