// What the runner asks the preprocessor: whether the library is there, and the versions of it and of the compiler.
#if __has_include(<boost/fiber/all.hpp>)
#include <boost/version.hpp>
Boost.Fiber BOOST_LIB_VERSION, by __VERSION__
#else
#error "no Boost.Fiber"
#endif
