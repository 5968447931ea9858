// Boost.JSON, compiled into the program: the distribution's package has the headers only.
#include <boost/json/src.hpp>
