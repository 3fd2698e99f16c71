// The compiled part of Asio.SSL, once for the whole program.
#include <boost/asio/ssl/impl/src.hpp>
