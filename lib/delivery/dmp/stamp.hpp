// The laboratory's certificates for the DMP (dmp.md 1, EX_GEN-1450): the stamp (ORG_SIGN) with its chain, what it
// signs, and what must be true of it and of the TLS certificate (ORG_AUTH_CLI) before anything leaves.
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "lib/base/clock.hpp"
#include "lib/base/result.hpp"
#include "lib/delivery/partners.hpp"

namespace sgl::dmp {

struct StampContent;  // certificates and key, in stamp.cpp

/// Immutable once read; used by any number of threads.
class Stamp {
public:
    /// One certificate of the chain, as XAdES names it.
    struct Link {
        std::string issuer;  ///< RFC 2253, UTF-8
        std::string serial;  ///< decimal
        std::string digest;  ///< of the DER, base64, by the partner's algorithm
    };

    /// Reads `sign_certificate` (leaf first), `sign_key` and, where the chain does not end at its root, `ca`. Errors
    /// name the file: missing (cannot be opened), malformed (no PEM), conflict (key, structure id or the TLS
    /// certificate's structure do not match).
    static Result<std::shared_ptr<const Stamp>> read(const delivery::DmpPartner& partner);

    explicit Stamp(StampContent content);
    Stamp(const Stamp&) = delete;
    Stamp& operator=(const Stamp&) = delete;
    ~Stamp();

    const std::string& subject() const;                ///< of the leaf, RFC 2253, UTF-8: the VIHF's Issuer
    const std::string& certificate() const;            ///< the leaf's DER, base64: ds:X509Certificate
    const std::vector<Link>& chain() const;            ///< leaf, issuer, …, root
    std::string digest(std::string_view bytes) const;  ///< base64, by the partner's algorithm
    std::string_view digest_method() const;            ///< the URIs of xmldsig for it
    std::string_view signature_method() const;
    /// Fault::refused with the file's path when the stamp, its chain or the TLS certificate is not valid at that time.
    Result<void> check(Instant now) const;

    /// Fills DigestValue and SignatureValue of the one ds:Signature in `xml` (ID and Id attributes are identifiers;
    /// digests inside ds:Manifest are left alone). Gives the element back, without XML declaration.
    Result<std::string> sign(std::string_view xml) const;

private:
    std::unique_ptr<StampContent> content_;
};

/// The stamp of a partner, read once and again when one of its files changes.
class Stamps {
public:
    explicit Stamps(delivery::DmpPartner partner) : partner_(std::move(partner)) {}

    /// Errors of Stamp::read and Stamp::check.
    Result<std::shared_ptr<const Stamp>> at(Instant now);

private:
    delivery::DmpPartner partner_;
    std::mutex mutex_;
    std::shared_ptr<const Stamp> stamp_;  // shared: a signature under way keeps the former one
    std::string files_;                   // times and sizes of the files when they were read
};

}  // namespace sgl::dmp
