#include "lib/net/stream.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>

namespace sgl::net {

bool address_in(std::string_view address, std::string_view address_or_network) {
    boost::system::error_code failed;
    auto subject = asio::ip::make_address(address, failed);
    if (failed) return false;
    if (subject.is_v6() && subject.to_v6().is_v4_mapped()) {
        subject = asio::ip::make_address_v4(asio::ip::v4_mapped, subject.to_v6());
    }
    if (address_or_network.find('/') == std::string_view::npos) {
        const auto other = asio::ip::make_address(address_or_network, failed);
        return !failed && other == subject;
    }
    if (subject.is_v4()) {
        const auto network = asio::ip::make_network_v4(std::string(address_or_network), failed);
        if (failed) return false;
        const auto mask = network.netmask().to_uint();
        return (subject.to_v4().to_uint() & mask) == (network.address().to_uint() & mask);
    }
    const auto network = asio::ip::make_network_v6(std::string(address_or_network), failed);
    if (failed) return false;
    const auto wanted = network.address().to_bytes();
    const auto given = subject.to_v6().to_bytes();
    for (unsigned bit = 0; bit < network.prefix_length(); ++bit) {
        const unsigned mask = 0x80U >> (bit % 8U);
        if (((wanted[bit / 8U] ^ given[bit / 8U]) & mask) != 0U) return false;
    }
    return true;
}

}  // namespace sgl::net
