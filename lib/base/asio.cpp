// The one translation unit that compiles Asio (BOOST_ASIO_SEPARATE_COMPILATION); link sgl_asio for it. Asio.SSL and
// Beast have theirs in lib/net.
#include <boost/asio/impl/src.hpp>
