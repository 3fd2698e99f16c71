// The compiled part of Boost.Beast (its HTTP parser is all we use), once for the whole program.
#include <boost/beast/src.hpp>
