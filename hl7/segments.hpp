// The segments of appendix B of hl7v2-lab by the names of their fields, each with its data type: views over a Segment,
// nothing is copied or checked (`Obx{segment}.units().value().system`). Fields are those of 2.5.1, later ones added.
#pragma once

#include <cstddef>
#include <type_traits>
#include <vector>

#include "hl7/message.hpp"
#include "hl7/values.hpp"

namespace sgl::hl7 {

/// A field and how its repetitions are read.
template <auto Read>
class TypedField : public Field {
public:
    using Value = std::invoke_result_t<decltype(Read), const Repetition&>;

    TypedField(const Field& field) : Field(field) {}  // NOLINT(google-explicit-constructor): it is that field
    Value value(std::size_t index = 0) const { return Read(repetition(index)); }  ///< of a repetition, from 0
    std::vector<Value> values() const {
        std::vector<Value> all;
        for (const auto& one : repetitions())
            all.push_back(Read(one));
        return all;
    }
};

using CodedField = TypedField<static_cast<Coded (*)(const Repetition&)>(read_coded)>;
using ExtendedIdField = TypedField<read_extended_id>;
using PersonNameField = TypedField<read_person_name>;
using ProfessionalField = TypedField<read_professional>;
using OrganisationField = TypedField<read_organisation>;
using AddressField = TypedField<read_address>;
using TelecomField = TypedField<read_telecom>;
using StructuredNumberField = TypedField<read_structured_number>;
using AuthorityField = TypedField<static_cast<Authority (*)(const Repetition&)>(read_authority)>;
using EntityField = TypedField<static_cast<EntityIdentifier (*)(const Repetition&)>(read_entity)>;
using EntityPairField = TypedField<read_entity_pair>;
using ParentResultField = TypedField<read_parent_result>;
inline Result<TimestampReading> read_timestamp_of(const Repetition& one) {
    return read_timestamp(one.component(1).text());
}
inline Result<Number> read_number_of(const Repetition& one) {
    return read_number(one.text());
}
using TimestampField = TypedField<read_timestamp_of>;
using NumberField = TypedField<read_number_of>;

struct Msh {
    Segment segment;

    Field field_separator() const { return segment.field(1); }                      ///< MSH-1, ST
    Field encoding_characters() const { return segment.field(2); }                  ///< MSH-2, ST
    AuthorityField sending_application() const { return segment.field(3); }         ///< MSH-3, HD, table 0361
    AuthorityField sending_facility() const { return segment.field(4); }            ///< MSH-4, HD, table 0362
    AuthorityField receiving_application() const { return segment.field(5); }       ///< MSH-5, HD, table 0361
    AuthorityField receiving_facility() const { return segment.field(6); }          ///< MSH-6, HD, table 0362
    TimestampField date_time_of_message() const { return segment.field(7); }        ///< MSH-7, TS
    Field security() const { return segment.field(8); }                             ///< MSH-8, ST
    Field message_type() const { return segment.field(9); }                         ///< MSH-9, MSG
    Field message_control_id() const { return segment.field(10); }                  ///< MSH-10, ST
    Field processing_id() const { return segment.field(11); }                       ///< MSH-11, PT
    Field version_id() const { return segment.field(12); }                          ///< MSH-12, VID
    NumberField sequence_number() const { return segment.field(13); }               ///< MSH-13, NM
    Field continuation_pointer() const { return segment.field(14); }                ///< MSH-14, ST
    Field accept_acknowledgment_type() const { return segment.field(15); }          ///< MSH-15, ID, table 0155
    Field application_acknowledgment_type() const { return segment.field(16); }     ///< MSH-16, ID, table 0155
    Field country_code() const { return segment.field(17); }                        ///< MSH-17, ID, table 0399
    Field character_set() const { return segment.field(18); }                       ///< MSH-18, ID, table 0211, repeats
    CodedField principal_language_of_message() const { return segment.field(19); }  ///< MSH-19, CE
    Field alternate_character_set_handling_scheme() const { return segment.field(20); }  ///< MSH-20, ID, table 0356
    EntityField message_profile_identifier() const { return segment.field(21); }         ///< MSH-21, EI, repeats
};

struct Msa {
    Segment segment;

    Field acknowledgment_code() const { return segment.field(1); }             ///< MSA-1, ID, table 0008
    Field message_control_id() const { return segment.field(2); }              ///< MSA-2, ST
    Field text_message() const { return segment.field(3); }                    ///< MSA-3, ST
    NumberField expected_sequence_number() const { return segment.field(4); }  ///< MSA-4, NM
    CodedField error_condition() const { return segment.field(6); }            ///< MSA-6, CE, table 0357
};

struct Err {
    Segment segment;

    Field error_code_and_location() const { return segment.field(1); }          ///< ERR-1, ELD, repeats
    Field error_location() const { return segment.field(2); }                   ///< ERR-2, ERL, repeats
    CodedField hl7_error_code() const { return segment.field(3); }              ///< ERR-3, CWE, table 0357
    Field severity() const { return segment.field(4); }                         ///< ERR-4, ID, table 0516
    CodedField application_error_code() const { return segment.field(5); }      ///< ERR-5, CWE, table 0533
    Field application_error_parameter() const { return segment.field(6); }      ///< ERR-6, ST, repeats
    Field diagnostic_information() const { return segment.field(7); }           ///< ERR-7, TX
    Field user_message() const { return segment.field(8); }                     ///< ERR-8, TX
    Field inform_person_indicator() const { return segment.field(9); }          ///< ERR-9, IS, table 0517, repeats
    CodedField override_type() const { return segment.field(10); }              ///< ERR-10, CWE, table 0518
    CodedField override_reason_code() const { return segment.field(11); }       ///< ERR-11, CWE, table 0519, repeats
    TelecomField help_desk_contact_point() const { return segment.field(12); }  ///< ERR-12, XTN, repeats
};

struct Evn {
    Segment segment;

    Field event_type_code() const { return segment.field(1); }                   ///< EVN-1, ID, table 0003
    TimestampField recorded_date_time() const { return segment.field(2); }       ///< EVN-2, TS
    TimestampField date_time_planned_event() const { return segment.field(3); }  ///< EVN-3, TS
    Field event_reason_code() const { return segment.field(4); }                 ///< EVN-4, IS, table 0062
    ProfessionalField operator_id() const { return segment.field(5); }           ///< EVN-5, XCN, table 0188, repeats
    TimestampField event_occurred() const { return segment.field(6); }           ///< EVN-6, TS
    AuthorityField event_facility() const { return segment.field(7); }           ///< EVN-7, HD
};

struct Pid {
    Segment segment;

    Field set_id() const { return segment.field(1); }                             ///< PID-1, SI
    ExtendedIdField patient_id() const { return segment.field(2); }               ///< PID-2, CX
    ExtendedIdField patient_identifier_list() const { return segment.field(3); }  ///< PID-3, CX, repeats
    ExtendedIdField alternate_patient_id() const { return segment.field(4); }     ///< PID-4, CX, repeats
    PersonNameField patient_name() const { return segment.field(5); }             ///< PID-5, XPN, repeats
    PersonNameField mother_maiden_name() const { return segment.field(6); }       ///< PID-6, XPN, repeats
    TimestampField date_time_of_birth() const { return segment.field(7); }        ///< PID-7, TS
    Field administrative_sex() const { return segment.field(8); }                 ///< PID-8, IS, table 0001
    PersonNameField patient_alias() const { return segment.field(9); }            ///< PID-9, XPN, repeats
    CodedField race() const { return segment.field(10); }                         ///< PID-10, CE, table 0005, repeats
    AddressField patient_address() const { return segment.field(11); }            ///< PID-11, XAD, repeats
    Field county_code() const { return segment.field(12); }                       ///< PID-12, IS, table 0289
    TelecomField phone_number_home() const { return segment.field(13); }          ///< PID-13, XTN, repeats
    TelecomField phone_number_business() const { return segment.field(14); }      ///< PID-14, XTN, repeats
    CodedField primary_language() const { return segment.field(15); }             ///< PID-15, CE, table 0296
    CodedField marital_status() const { return segment.field(16); }               ///< PID-16, CE, table 0002
    CodedField religion() const { return segment.field(17); }                     ///< PID-17, CE, table 0006
    ExtendedIdField patient_account_number() const { return segment.field(18); }  ///< PID-18, CX
    Field ssn_number_patient() const { return segment.field(19); }                ///< PID-19, ST
    Field driver_license_number_patient() const { return segment.field(20); }     ///< PID-20, DLN
    ExtendedIdField mother_identifier() const { return segment.field(21); }       ///< PID-21, CX, repeats
    CodedField ethnic_group() const { return segment.field(22); }                 ///< PID-22, CE, table 0189, repeats
    Field birth_place() const { return segment.field(23); }                       ///< PID-23, ST
    Field multiple_birth_indicator() const { return segment.field(24); }          ///< PID-24, ID, table 0136
    NumberField birth_order() const { return segment.field(25); }                 ///< PID-25, NM
    CodedField citizenship() const { return segment.field(26); }                  ///< PID-26, CE, table 0171, repeats
    CodedField veterans_military_status() const { return segment.field(27); }     ///< PID-27, CE, table 0172
    CodedField nationality() const { return segment.field(28); }                  ///< PID-28, CE, table 0212
    TimestampField patient_death_date_and_time() const { return segment.field(29); }  ///< PID-29, TS
    Field patient_death_indicator() const { return segment.field(30); }               ///< PID-30, ID, table 0136
    Field identity_unknown_indicator() const { return segment.field(31); }            ///< PID-31, ID, table 0136
    Field identity_reliability_code() const { return segment.field(32); }       ///< PID-32, IS, table 0445, repeats
    TimestampField last_update_date_time() const { return segment.field(33); }  ///< PID-33, TS
    AuthorityField last_update_facility() const { return segment.field(34); }   ///< PID-34, HD
    CodedField species_code() const { return segment.field(35); }               ///< PID-35, CE, table 0446
    CodedField breed_code() const { return segment.field(36); }                 ///< PID-36, CE, table 0447
    Field strain() const { return segment.field(37); }                          ///< PID-37, ST
    CodedField production_class_code() const { return segment.field(38); }      ///< PID-38, CE, table 0429
    CodedField tribal_citizenship() const { return segment.field(39); }         ///< PID-39, CWE, table 0171, repeats
};

struct Mrg {
    Segment segment;

    ExtendedIdField prior_patient_identifier_list() const { return segment.field(1); }  ///< MRG-1, CX, repeats
    ExtendedIdField prior_alternate_patient_id() const { return segment.field(2); }     ///< MRG-2, CX, repeats
    ExtendedIdField prior_patient_account_number() const { return segment.field(3); }   ///< MRG-3, CX
    ExtendedIdField prior_patient_id() const { return segment.field(4); }               ///< MRG-4, CX
    ExtendedIdField prior_visit_number() const { return segment.field(5); }             ///< MRG-5, CX
    ExtendedIdField prior_alternate_visit_id() const { return segment.field(6); }       ///< MRG-6, CX
    PersonNameField prior_patient_name() const { return segment.field(7); }             ///< MRG-7, XPN, repeats
};

struct Pv1 {
    Segment segment;

    Field set_id() const { return segment.field(1); }                             ///< PV1-1, SI
    Field patient_class() const { return segment.field(2); }                      ///< PV1-2, IS, table 0004
    Field assigned_patient_location() const { return segment.field(3); }          ///< PV1-3, PL
    Field admission_type() const { return segment.field(4); }                     ///< PV1-4, IS, table 0007
    ExtendedIdField preadmit_number() const { return segment.field(5); }          ///< PV1-5, CX
    Field prior_patient_location() const { return segment.field(6); }             ///< PV1-6, PL
    ProfessionalField attending_doctor() const { return segment.field(7); }       ///< PV1-7, XCN, table 0010, repeats
    ProfessionalField referring_doctor() const { return segment.field(8); }       ///< PV1-8, XCN, table 0010, repeats
    ProfessionalField consulting_doctor() const { return segment.field(9); }      ///< PV1-9, XCN, table 0010, repeats
    Field hospital_service() const { return segment.field(10); }                  ///< PV1-10, IS, table 0069
    Field temporary_location() const { return segment.field(11); }                ///< PV1-11, PL
    Field preadmit_test_indicator() const { return segment.field(12); }           ///< PV1-12, IS, table 0087
    Field re_admission_indicator() const { return segment.field(13); }            ///< PV1-13, IS, table 0092
    Field admit_source() const { return segment.field(14); }                      ///< PV1-14, IS, table 0023
    Field ambulatory_status() const { return segment.field(15); }                 ///< PV1-15, IS, table 0009, repeats
    Field vip_indicator() const { return segment.field(16); }                     ///< PV1-16, IS, table 0099
    ProfessionalField admitting_doctor() const { return segment.field(17); }      ///< PV1-17, XCN, table 0010, repeats
    Field patient_type() const { return segment.field(18); }                      ///< PV1-18, IS, table 0018
    ExtendedIdField visit_number() const { return segment.field(19); }            ///< PV1-19, CX
    Field financial_class() const { return segment.field(20); }                   ///< PV1-20, FC, table 0064, repeats
    Field charge_price_indicator() const { return segment.field(21); }            ///< PV1-21, IS, table 0032
    Field courtesy_code() const { return segment.field(22); }                     ///< PV1-22, IS, table 0045
    Field credit_rating() const { return segment.field(23); }                     ///< PV1-23, IS, table 0046
    Field contract_code() const { return segment.field(24); }                     ///< PV1-24, IS, table 0044, repeats
    TimestampField contract_effective_date() const { return segment.field(25); }  ///< PV1-25, DT, repeats
    NumberField contract_amount() const { return segment.field(26); }             ///< PV1-26, NM, repeats
    NumberField contract_period() const { return segment.field(27); }             ///< PV1-27, NM, repeats
    Field interest_code() const { return segment.field(28); }                     ///< PV1-28, IS, table 0073
    Field transfer_to_bad_debt_code() const { return segment.field(29); }         ///< PV1-29, IS, table 0110
    TimestampField transfer_to_bad_debt_date() const { return segment.field(30); }  ///< PV1-30, DT
    Field bad_debt_agency_code() const { return segment.field(31); }                ///< PV1-31, IS, table 0021
    NumberField bad_debt_transfer_amount() const { return segment.field(32); }      ///< PV1-32, NM
    NumberField bad_debt_recovery_amount() const { return segment.field(33); }      ///< PV1-33, NM
    Field delete_account_indicator() const { return segment.field(34); }            ///< PV1-34, IS, table 0111
    TimestampField delete_account_date() const { return segment.field(35); }        ///< PV1-35, DT
    Field discharge_disposition() const { return segment.field(36); }               ///< PV1-36, IS, table 0112
    Field discharged_to_location() const { return segment.field(37); }              ///< PV1-37, DLD, table 0113
    CodedField diet_type() const { return segment.field(38); }                      ///< PV1-38, CE, table 0114
    Field servicing_facility() const { return segment.field(39); }                  ///< PV1-39, IS, table 0115
    Field bed_status() const { return segment.field(40); }                          ///< PV1-40, IS, table 0116
    Field account_status() const { return segment.field(41); }                      ///< PV1-41, IS, table 0117
    Field pending_location() const { return segment.field(42); }                    ///< PV1-42, PL
    Field prior_temporary_location() const { return segment.field(43); }            ///< PV1-43, PL
    TimestampField admit_date_time() const { return segment.field(44); }            ///< PV1-44, TS
    TimestampField discharge_date_time() const { return segment.field(45); }        ///< PV1-45, TS, repeats
    NumberField current_patient_balance() const { return segment.field(46); }       ///< PV1-46, NM
    NumberField total_charges() const { return segment.field(47); }                 ///< PV1-47, NM
    NumberField total_adjustments() const { return segment.field(48); }             ///< PV1-48, NM
    NumberField total_payments() const { return segment.field(49); }                ///< PV1-49, NM
    ExtendedIdField alternate_visit_id() const { return segment.field(50); }        ///< PV1-50, CX, table 0203
    Field visit_indicator() const { return segment.field(51); }                     ///< PV1-51, IS, table 0326
    ProfessionalField other_healthcare_provider() const {
        return segment.field(52);
    }  ///< PV1-52, XCN, table 0010, repeats
};

struct Orc {
    Segment segment;

    Field order_control() const { return segment.field(1); }                           ///< ORC-1, ID, table 0119
    EntityField placer_order_number() const { return segment.field(2); }               ///< ORC-2, EI
    EntityField filler_order_number() const { return segment.field(3); }               ///< ORC-3, EI
    EntityField placer_group_number() const { return segment.field(4); }               ///< ORC-4, EI
    Field order_status() const { return segment.field(5); }                            ///< ORC-5, ID, table 0038
    Field response_flag() const { return segment.field(6); }                           ///< ORC-6, ID, table 0121
    Field quantity_timing() const { return segment.field(7); }                         ///< ORC-7, TQ, repeats
    EntityPairField parent() const { return segment.field(8); }                        ///< ORC-8, EIP
    TimestampField date_time_of_transaction() const { return segment.field(9); }       ///< ORC-9, TS
    ProfessionalField entered_by() const { return segment.field(10); }                 ///< ORC-10, XCN, repeats
    ProfessionalField verified_by() const { return segment.field(11); }                ///< ORC-11, XCN, repeats
    ProfessionalField ordering_provider() const { return segment.field(12); }          ///< ORC-12, XCN, repeats
    Field enterer_location() const { return segment.field(13); }                       ///< ORC-13, PL
    TelecomField call_back_phone_number() const { return segment.field(14); }          ///< ORC-14, XTN, repeats
    TimestampField order_effective_date_time() const { return segment.field(15); }     ///< ORC-15, TS
    CodedField order_control_code_reason() const { return segment.field(16); }         ///< ORC-16, CE
    CodedField entering_organization() const { return segment.field(17); }             ///< ORC-17, CE
    CodedField entering_device() const { return segment.field(18); }                   ///< ORC-18, CE
    ProfessionalField action_by() const { return segment.field(19); }                  ///< ORC-19, XCN, repeats
    CodedField advanced_beneficiary_notice_code() const { return segment.field(20); }  ///< ORC-20, CE, table 0339
    OrganisationField ordering_facility_name() const { return segment.field(21); }     ///< ORC-21, XON, repeats
    AddressField ordering_facility_address() const { return segment.field(22); }       ///< ORC-22, XAD, repeats
    TelecomField ordering_facility_phone_number() const { return segment.field(23); }  ///< ORC-23, XTN, repeats
    AddressField ordering_provider_address() const { return segment.field(24); }       ///< ORC-24, XAD, repeats
    CodedField order_status_modifier() const { return segment.field(25); }             ///< ORC-25, CWE
    CodedField advanced_beneficiary_notice_override_reason() const {
        return segment.field(26);
    }  ///< ORC-26, CWE, table 0552
    TimestampField filler_expected_availability_date_time() const { return segment.field(27); }  ///< ORC-27, TS
    CodedField confidentiality_code() const { return segment.field(28); }                 ///< ORC-28, CWE, table 0177
    CodedField order_type() const { return segment.field(29); }                           ///< ORC-29, CWE, table 0482
    CodedField enterer_authorization_mode() const { return segment.field(30); }           ///< ORC-30, CNE, table 0483
    CodedField parent_universal_service_identifier() const { return segment.field(31); }  ///< ORC-31, CWE
};

struct Tq1 {
    Segment segment;

    Field set_id() const { return segment.field(1); }                    ///< TQ1-1, SI
    Field quantity() const { return segment.field(2); }                  ///< TQ1-2, CQ
    Field repeat_pattern() const { return segment.field(3); }            ///< TQ1-3, RPT, table 0335, repeats
    Field explicit_time() const { return segment.field(4); }             ///< TQ1-4, TM, repeats
    Field relative_time_and_units() const { return segment.field(5); }   ///< TQ1-5, CQ, repeats
    Field service_duration() const { return segment.field(6); }          ///< TQ1-6, CQ
    TimestampField start_date_time() const { return segment.field(7); }  ///< TQ1-7, TS
    TimestampField end_date_time() const { return segment.field(8); }    ///< TQ1-8, TS
    CodedField priority() const { return segment.field(9); }             ///< TQ1-9, CWE, table 0485, repeats
    Field condition_text() const { return segment.field(10); }           ///< TQ1-10, TX
    Field text_instruction() const { return segment.field(11); }         ///< TQ1-11, TX
    Field conjunction() const { return segment.field(12); }              ///< TQ1-12, ID, table 0427
    Field occurrence_duration() const { return segment.field(13); }      ///< TQ1-13, CQ
    NumberField total_occurrence() const { return segment.field(14); }   ///< TQ1-14, NM
};

struct Obr {
    Segment segment;

    Field set_id() const { return segment.field(1); }                                       ///< OBR-1, SI
    EntityField placer_order_number() const { return segment.field(2); }                    ///< OBR-2, EI
    EntityField filler_order_number() const { return segment.field(3); }                    ///< OBR-3, EI
    CodedField universal_service_identifier() const { return segment.field(4); }            ///< OBR-4, CE
    Field priority() const { return segment.field(5); }                                     ///< OBR-5, ID
    TimestampField requested_date_time() const { return segment.field(6); }                 ///< OBR-6, TS
    TimestampField observation_date_time() const { return segment.field(7); }               ///< OBR-7, TS
    TimestampField observation_end_date_time() const { return segment.field(8); }           ///< OBR-8, TS
    Field collection_volume() const { return segment.field(9); }                            ///< OBR-9, CQ
    ProfessionalField collector_identifier() const { return segment.field(10); }            ///< OBR-10, XCN, repeats
    Field specimen_action_code() const { return segment.field(11); }                        ///< OBR-11, ID, table 0065
    CodedField danger_code() const { return segment.field(12); }                            ///< OBR-12, CE
    Field relevant_clinical_information() const { return segment.field(13); }               ///< OBR-13, ST
    TimestampField specimen_received_date_time() const { return segment.field(14); }        ///< OBR-14, TS
    Field specimen_source() const { return segment.field(15); }                             ///< OBR-15, SPS
    ProfessionalField ordering_provider() const { return segment.field(16); }               ///< OBR-16, XCN, repeats
    TelecomField order_callback_phone_number() const { return segment.field(17); }          ///< OBR-17, XTN, repeats
    Field placer_field_1() const { return segment.field(18); }                              ///< OBR-18, ST
    Field placer_field_2() const { return segment.field(19); }                              ///< OBR-19, ST
    Field filler_field_1() const { return segment.field(20); }                              ///< OBR-20, ST
    Field filler_field_2() const { return segment.field(21); }                              ///< OBR-21, ST
    TimestampField results_rpt_status_chng_date_time() const { return segment.field(22); }  ///< OBR-22, TS
    Field charge_to_practice() const { return segment.field(23); }                          ///< OBR-23, MOC
    Field diagnostic_serv_sect_id() const { return segment.field(24); }                     ///< OBR-24, ID, table 0074
    Field result_status() const { return segment.field(25); }                               ///< OBR-25, ID, table 0123
    ParentResultField parent_result() const { return segment.field(26); }                   ///< OBR-26, PRL
    Field quantity_timing() const { return segment.field(27); }                             ///< OBR-27, TQ, repeats
    ProfessionalField result_copies_to() const { return segment.field(28); }                ///< OBR-28, XCN, repeats
    EntityPairField parent() const { return segment.field(29); }                            ///< OBR-29, EIP
    Field transportation_mode() const { return segment.field(30); }                         ///< OBR-30, ID, table 0124
    CodedField reason_for_study() const { return segment.field(31); }                       ///< OBR-31, CE, repeats
    Field principal_result_interpreter() const { return segment.field(32); }                ///< OBR-32, NDL
    Field assistant_result_interpreter() const { return segment.field(33); }                ///< OBR-33, NDL, repeats
    Field technician() const { return segment.field(34); }                                  ///< OBR-34, NDL, repeats
    Field transcriptionist() const { return segment.field(35); }                            ///< OBR-35, NDL, repeats
    TimestampField scheduled_date_time() const { return segment.field(36); }                ///< OBR-36, TS
    NumberField number_of_sample_containers() const { return segment.field(37); }           ///< OBR-37, NM
    CodedField transport_logistics_of_collected_sample() const { return segment.field(38); }  ///< OBR-38, CE, repeats
    CodedField collector_comment() const { return segment.field(39); }                        ///< OBR-39, CE, repeats
    CodedField transport_arrangement_responsibility() const { return segment.field(40); }     ///< OBR-40, CE
    Field transport_arranged() const { return segment.field(41); }                      ///< OBR-41, ID, table 0224
    Field escort_required() const { return segment.field(42); }                         ///< OBR-42, ID, table 0225
    CodedField planned_patient_transport_comment() const { return segment.field(43); }  ///< OBR-43, CE, repeats
    CodedField procedure_code() const { return segment.field(44); }                     ///< OBR-44, CE, table 0088
    CodedField procedure_code_modifier() const { return segment.field(45); }  ///< OBR-45, CE, table 0340, repeats
    CodedField placer_supplemental_service_information() const {
        return segment.field(46);
    }  ///< OBR-46, CE, table 0411, repeats
    CodedField filler_supplemental_service_information() const {
        return segment.field(47);
    }  ///< OBR-47, CE, table 0411, repeats
    CodedField medically_necessary_duplicate_procedure_reason() const {
        return segment.field(48);
    }  ///< OBR-48, CWE, table 0476
    Field result_handling() const { return segment.field(49); }                           ///< OBR-49, IS, table 0507
    CodedField parent_universal_service_identifier() const { return segment.field(50); }  ///< OBR-50, CWE
};

struct Spm {
    Segment segment;

    Field set_id() const { return segment.field(1); }                              ///< SPM-1, SI
    EntityPairField specimen_id() const { return segment.field(2); }               ///< SPM-2, EIP
    EntityPairField specimen_parent_ids() const { return segment.field(3); }       ///< SPM-3, EIP, repeats
    CodedField specimen_type() const { return segment.field(4); }                  ///< SPM-4, CWE, table 0487
    CodedField specimen_type_modifier() const { return segment.field(5); }         ///< SPM-5, CWE, table 0541, repeats
    CodedField specimen_additives() const { return segment.field(6); }             ///< SPM-6, CWE, table 0371, repeats
    CodedField specimen_collection_method() const { return segment.field(7); }     ///< SPM-7, CWE, table 0488
    CodedField specimen_source_site() const { return segment.field(8); }           ///< SPM-8, CWE
    CodedField specimen_source_site_modifier() const { return segment.field(9); }  ///< SPM-9, CWE, table 0542, repeats
    CodedField specimen_collection_site() const { return segment.field(10); }      ///< SPM-10, CWE, table 0543
    CodedField specimen_role() const { return segment.field(11); }                 ///< SPM-11, CWE, table 0369, repeats
    Field specimen_collection_amount() const { return segment.field(12); }         ///< SPM-12, CQ
    NumberField grouped_specimen_count() const { return segment.field(13); }       ///< SPM-13, NM
    Field specimen_description() const { return segment.field(14); }               ///< SPM-14, ST, repeats
    CodedField specimen_handling_code() const { return segment.field(15); }        ///< SPM-15, CWE, table 0376, repeats
    CodedField specimen_risk_code() const { return segment.field(16); }            ///< SPM-16, CWE, table 0489, repeats
    Field specimen_collection_date_time() const { return segment.field(17); }      ///< SPM-17, DR
    TimestampField specimen_received_date_time() const { return segment.field(18); }    ///< SPM-18, TS
    TimestampField specimen_expiration_date_time() const { return segment.field(19); }  ///< SPM-19, TS
    Field specimen_availability() const { return segment.field(20); }                   ///< SPM-20, ID, table 0136
    CodedField specimen_reject_reason() const { return segment.field(21); }    ///< SPM-21, CWE, table 0490, repeats
    CodedField specimen_quality() const { return segment.field(22); }          ///< SPM-22, CWE, table 0491
    CodedField specimen_appropriateness() const { return segment.field(23); }  ///< SPM-23, CWE, table 0492
    CodedField specimen_condition() const { return segment.field(24); }        ///< SPM-24, CWE, table 0493, repeats
    Field specimen_current_quantity() const { return segment.field(25); }      ///< SPM-25, CQ
    NumberField number_of_specimen_containers() const { return segment.field(26); }  ///< SPM-26, NM
    CodedField container_type() const { return segment.field(27); }                  ///< SPM-27, CWE
    CodedField container_condition() const { return segment.field(28); }             ///< SPM-28, CWE, table 0544
    CodedField specimen_child_role() const { return segment.field(29); }             ///< SPM-29, CWE, table 0494
};

struct Sac {
    Segment segment;

    EntityField external_accession_identifier() const { return segment.field(1); }          ///< SAC-1, EI
    EntityField accession_identifier() const { return segment.field(2); }                   ///< SAC-2, EI
    EntityField container_identifier() const { return segment.field(3); }                   ///< SAC-3, EI
    EntityField primary_parent_container_identifier() const { return segment.field(4); }    ///< SAC-4, EI
    EntityField equipment_container_identifier() const { return segment.field(5); }         ///< SAC-5, EI
    Field specimen_source() const { return segment.field(6); }                              ///< SAC-6, SPS
    TimestampField registration_date_time() const { return segment.field(7); }              ///< SAC-7, TS
    CodedField container_status() const { return segment.field(8); }                        ///< SAC-8, CE, table 0370
    CodedField carrier_type() const { return segment.field(9); }                            ///< SAC-9, CE, table 0378
    EntityField carrier_identifier() const { return segment.field(10); }                    ///< SAC-10, EI
    Field position_in_carrier() const { return segment.field(11); }                         ///< SAC-11, NA
    CodedField tray_type() const { return segment.field(12); }                              ///< SAC-12, CE, table 0379
    EntityField tray_identifier() const { return segment.field(13); }                       ///< SAC-13, EI
    Field position_in_tray() const { return segment.field(14); }                            ///< SAC-14, NA
    CodedField location() const { return segment.field(15); }                               ///< SAC-15, CE, repeats
    NumberField container_height() const { return segment.field(16); }                      ///< SAC-16, NM
    NumberField container_diameter() const { return segment.field(17); }                    ///< SAC-17, NM
    NumberField barrier_delta() const { return segment.field(18); }                         ///< SAC-18, NM
    NumberField bottom_delta() const { return segment.field(19); }                          ///< SAC-19, NM
    CodedField container_height_diameter_delta_units() const { return segment.field(20); }  ///< SAC-20, CE
    NumberField container_volume() const { return segment.field(21); }                      ///< SAC-21, NM
    NumberField available_specimen_volume() const { return segment.field(22); }             ///< SAC-22, NM
    NumberField initial_specimen_volume() const { return segment.field(23); }               ///< SAC-23, NM
    CodedField volume_units() const { return segment.field(24); }                           ///< SAC-24, CE
    CodedField separator_type() const { return segment.field(25); }                         ///< SAC-25, CE, table 0380
    CodedField cap_type() const { return segment.field(26); }                               ///< SAC-26, CE, table 0381
    CodedField additive() const { return segment.field(27); }                     ///< SAC-27, CWE, table 0371, repeats
    CodedField specimen_component() const { return segment.field(28); }           ///< SAC-28, CE
    StructuredNumberField dilution_factor() const { return segment.field(29); }   ///< SAC-29, SN
    CodedField treatment() const { return segment.field(30); }                    ///< SAC-30, CE, table 0373
    StructuredNumberField temperature() const { return segment.field(31); }       ///< SAC-31, SN
    NumberField hemolysis_index() const { return segment.field(32); }             ///< SAC-32, NM
    CodedField hemolysis_index_units() const { return segment.field(33); }        ///< SAC-33, CE
    NumberField lipemia_index() const { return segment.field(34); }               ///< SAC-34, NM
    CodedField lipemia_index_units() const { return segment.field(35); }          ///< SAC-35, CE
    NumberField icterus_index() const { return segment.field(36); }               ///< SAC-36, NM
    CodedField icterus_index_units() const { return segment.field(37); }          ///< SAC-37, CE
    NumberField fibrin_index() const { return segment.field(38); }                ///< SAC-38, NM
    CodedField fibrin_index_units() const { return segment.field(39); }           ///< SAC-39, CE
    CodedField system_induced_contaminants() const { return segment.field(40); }  ///< SAC-40, CE, table 0374, repeats
    CodedField drug_interference() const { return segment.field(41); }            ///< SAC-41, CE, table 0382, repeats
    CodedField artificial_blood() const { return segment.field(42); }             ///< SAC-42, CE, table 0375
    CodedField special_handling_code() const { return segment.field(43); }        ///< SAC-43, CWE, table 0376, repeats
    CodedField other_environmental_factors() const { return segment.field(44); }  ///< SAC-44, CE, table 0377, repeats
};

struct Obx {
    Segment segment;

    Field set_id() const { return segment.field(1); }                       ///< OBX-1, SI
    Field value_type() const { return segment.field(2); }                   ///< OBX-2, ID, table 0125
    CodedField observation_identifier() const { return segment.field(3); }  ///< OBX-3, CE
    Field observation_sub_id() const { return segment.field(4); }           ///< OBX-4, ST
    Field observation_value() const { return segment.field(5); }            ///< OBX-5, varies, repeats
    CodedField units() const { return segment.field(6); }                   ///< OBX-6, CE
    Field references_range() const { return segment.field(7); }             ///< OBX-7, ST
    Field abnormal_flags() const { return segment.field(8); }               ///< OBX-8, IS, table 0078, repeats
    NumberField probability() const { return segment.field(9); }            ///< OBX-9, NM
    Field nature_of_abnormal_test() const { return segment.field(10); }     ///< OBX-10, ID, table 0080, repeats
    Field observation_result_status() const { return segment.field(11); }   ///< OBX-11, ID, table 0085
    TimestampField effective_date_of_reference_range_values() const { return segment.field(12); }  ///< OBX-12, TS
    Field user_defined_access_checks() const { return segment.field(13); }                         ///< OBX-13, ST
    TimestampField date_time_of_the_observation() const { return segment.field(14); }              ///< OBX-14, TS
    CodedField producer_reference() const { return segment.field(15); }                            ///< OBX-15, CE
    ProfessionalField responsible_observer() const { return segment.field(16); }     ///< OBX-16, XCN, repeats
    CodedField observation_method() const { return segment.field(17); }              ///< OBX-17, CE, repeats
    EntityField equipment_instance_identifier() const { return segment.field(18); }  ///< OBX-18, EI, repeats
    TimestampField date_time_of_the_analysis() const { return segment.field(19); }   ///< OBX-19, TS
    CodedField observation_site() const { return segment.field(20); }  ///< OBX-20, CWE, table 0163, repeats
    EntityField observation_instance_identifier() const { return segment.field(21); }     ///< OBX-21, EI
    CodedField mood_code() const { return segment.field(22); }                            ///< OBX-22, CNE, table 0725
    OrganisationField performing_organization_name() const { return segment.field(23); }  ///< OBX-23, XON, repeats
    AddressField performing_organization_address() const { return segment.field(24); }    ///< OBX-24, XAD, repeats
    ProfessionalField performing_organization_medical_director() const {
        return segment.field(25);
    }  ///< OBX-25, XCN, repeats
    Field patient_results_release_category() const { return segment.field(26); }  ///< OBX-26, ID, table 0909, repeats
    CodedField root_cause() const { return segment.field(27); }                   ///< OBX-27, CWE, table 0914
    CodedField local_process_control() const { return segment.field(28); }        ///< OBX-28, CWE, table 0915, repeats
    Field observation_type() const { return segment.field(29); }                  ///< OBX-29, ID, table 0936
    Field observation_sub_type() const { return segment.field(30); }              ///< OBX-30, ID, table 0937
};

struct Nte {
    Segment segment;

    Field set_id() const { return segment.field(1); }                         ///< NTE-1, SI
    Field source_of_comment() const { return segment.field(2); }              ///< NTE-2, ID, table 0105
    Field comment() const { return segment.field(3); }                        ///< NTE-3, FT, repeats
    CodedField comment_type() const { return segment.field(4); }              ///< NTE-4, CE, table 0364
    ProfessionalField entered_by() const { return segment.field(5); }         ///< NTE-5, XCN
    TimestampField entered_date_time() const { return segment.field(6); }     ///< NTE-6, DTM
    TimestampField effective_start_date() const { return segment.field(7); }  ///< NTE-7, DTM
    TimestampField expiration_date() const { return segment.field(8); }       ///< NTE-8, DTM
};

struct Tcd {
    Segment segment;

    CodedField universal_service_identifier() const { return segment.field(1); }      ///< TCD-1, CE
    StructuredNumberField auto_dilution_factor() const { return segment.field(2); }   ///< TCD-2, SN
    StructuredNumberField rerun_dilution_factor() const { return segment.field(3); }  ///< TCD-3, SN
    StructuredNumberField pre_dilution_factor() const { return segment.field(4); }    ///< TCD-4, SN
    StructuredNumberField endogenous_content_of_pre_dilution_diluent() const {
        return segment.field(5);
    }  ///< TCD-5, SN
    Field automatic_repeat_allowed() const { return segment.field(6); }    ///< TCD-6, ID, table 0136
    Field reflex_allowed() const { return segment.field(7); }              ///< TCD-7, ID, table 0136
    CodedField analyte_repeat_status() const { return segment.field(8); }  ///< TCD-8, CE, table 0389
};

struct Inv {
    Segment segment;

    CodedField substance_identifier() const { return segment.field(1); }            ///< INV-1, CE, table 0451
    CodedField substance_status() const { return segment.field(2); }                ///< INV-2, CE, table 0383, repeats
    CodedField substance_type() const { return segment.field(3); }                  ///< INV-3, CE, table 0384
    CodedField inventory_container_identifier() const { return segment.field(4); }  ///< INV-4, CE
    CodedField container_carrier_identifier() const { return segment.field(5); }    ///< INV-5, CE
    CodedField position_on_carrier() const { return segment.field(6); }             ///< INV-6, CE
    NumberField initial_quantity() const { return segment.field(7); }               ///< INV-7, NM
    NumberField current_quantity() const { return segment.field(8); }               ///< INV-8, NM
    NumberField available_quantity() const { return segment.field(9); }             ///< INV-9, NM
    NumberField consumption_quantity() const { return segment.field(10); }          ///< INV-10, NM
    CodedField quantity_units() const { return segment.field(11); }                 ///< INV-11, CE
    TimestampField expiration_date_time() const { return segment.field(12); }       ///< INV-12, TS
    TimestampField first_used_date_time() const { return segment.field(13); }       ///< INV-13, TS
    Field on_board_stability_duration() const { return segment.field(14); }         ///< INV-14, TQ
    CodedField test_fluid_identifier() const { return segment.field(15); }          ///< INV-15, CE, repeats
    Field manufacturer_lot_number() const { return segment.field(16); }             ///< INV-16, ST
    CodedField manufacturer_identifier() const { return segment.field(17); }        ///< INV-17, CE, table 0385
    CodedField supplier_identifier() const { return segment.field(18); }            ///< INV-18, CE, table 0386
    Field on_board_stability_time() const { return segment.field(19); }             ///< INV-19, CQ
    Field target_value() const { return segment.field(20); }                        ///< INV-20, CQ
};

struct Sid {
    Segment segment;

    CodedField application_method_identifier() const { return segment.field(1); }      ///< SID-1, CE
    Field substance_lot_number() const { return segment.field(2); }                    ///< SID-2, ST
    Field substance_container_identifier() const { return segment.field(3); }          ///< SID-3, ST
    CodedField substance_manufacturer_identifier() const { return segment.field(4); }  ///< SID-4, CE, table 0385
};

struct Qpd {
    Segment segment;

    CodedField message_query_name() const { return segment.field(1); }               ///< QPD-1, CE, table 0471
    Field query_tag() const { return segment.field(2); }                             ///< QPD-2, ST
    Field user_parameters_in_successive_fields() const { return segment.field(3); }  ///< QPD-3, varies
};

struct Rcp {
    Segment segment;

    Field query_priority() const { return segment.field(1); }                        ///< RCP-1, ID, table 0091
    Field quantity_limited_request() const { return segment.field(2); }              ///< RCP-2, CQ, table 0126
    CodedField response_modality() const { return segment.field(3); }                ///< RCP-3, CE, table 0394
    TimestampField execution_and_delivery_time() const { return segment.field(4); }  ///< RCP-4, TS
    Field modify_indicator() const { return segment.field(5); }                      ///< RCP-5, ID, table 0395
    Field sort_by_field() const { return segment.field(6); }                         ///< RCP-6, SRT, repeats
    Field segment_group_inclusion() const { return segment.field(7); }               ///< RCP-7, ID, repeats
};

struct Qak {
    Segment segment;

    Field query_tag() const { return segment.field(1); }                ///< QAK-1, ST
    Field query_response_status() const { return segment.field(2); }    ///< QAK-2, ID, table 0208
    CodedField message_query_name() const { return segment.field(3); }  ///< QAK-3, CE, table 0471
    NumberField hit_count() const { return segment.field(4); }          ///< QAK-4, NM
    NumberField this_payload() const { return segment.field(5); }       ///< QAK-5, NM
    NumberField hits_remaining() const { return segment.field(6); }     ///< QAK-6, NM
};

struct Prt {
    Segment segment;

    EntityField participation_instance_id() const { return segment.field(1); }          ///< PRT-1, EI, repeats
    Field action_code() const { return segment.field(2); }                              ///< PRT-2, ID, table 0206
    CodedField action_reason() const { return segment.field(3); }                       ///< PRT-3, CWE
    CodedField participation() const { return segment.field(4); }                       ///< PRT-4, CWE, table 0912
    ProfessionalField participation_person() const { return segment.field(5); }         ///< PRT-5, XCN, repeats
    CodedField participation_person_provider_type() const { return segment.field(6); }  ///< PRT-6, CWE
    CodedField participant_organization_unit_type() const { return segment.field(7); }  ///< PRT-7, CWE, table 0406
    OrganisationField participation_organization() const { return segment.field(8); }   ///< PRT-8, XON, repeats
    Field participant_location() const { return segment.field(9); }                     ///< PRT-9, PL, repeats
    EntityField participation_device() const { return segment.field(10); }              ///< PRT-10, EI, repeats
    TimestampField participation_begin_date_time_arrival_time() const { return segment.field(11); }  ///< PRT-11, DTM
    TimestampField participation_end_date_time_departure_time() const { return segment.field(12); }  ///< PRT-12, DTM
    CodedField participation_qualitative_duration() const { return segment.field(13); }              ///< PRT-13, CWE
    AddressField participation_address() const { return segment.field(14); }                  ///< PRT-14, XAD, repeats
    TelecomField participant_telecommunication_address() const { return segment.field(15); }  ///< PRT-15, XTN, repeats
};

}  // namespace sgl::hl7
