# What every target of ours is compiled with, and the two precompiled headers.
add_library(outcrop_options INTERFACE)
target_compile_options(outcrop_options INTERFACE
  -Wall -Wextra -Wshadow -Wnon-virtual-dtor -Woverloaded-virtual -Wimplicit-fallthrough -Werror
  -fno-omit-frame-pointer -fstack-protector-strong)
if(CMAKE_SYSTEM_PROCESSOR MATCHES "x86_64|AMD64")
  # The floor of every server since 2013; wider kernels are chosen at run time.
  target_compile_options(outcrop_options INTERFACE -march=x86-64-v2)
endif()
target_compile_definitions(outcrop_options INTERFACE
  BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_COROUTINE BOOST_ASIO_HAS_CO_AWAIT _GLIBCXX_ASSERTIONS)
target_link_libraries(outcrop_options INTERFACE Threads::Threads)
target_include_directories(outcrop_options SYSTEM INTERFACE ${Boost_INCLUDE_DIRS})
target_link_options(outcrop_options INTERFACE -fuse-ld=lld)
if(OUTCROP_SANITIZE)
  target_compile_options(outcrop_options INTERFACE -fsanitize=${OUTCROP_SANITIZE} -fno-sanitize-recover=all)
  target_link_options(outcrop_options INTERFACE -fsanitize=${OUTCROP_SANITIZE})
endif()
if(OUTCROP_FUZZ)
  target_compile_options(outcrop_options INTERFACE -fsanitize=fuzzer-no-link)
endif()

# ccache takes this sum for the precompiled header itself (CCACHE_PCH_EXTSUM), whose bytes differ
# from folder to folder: checkouts and clean clones share one cache.
file(READ ${PROJECT_SOURCE_DIR}/cmake/pch.h pch_text)
string(SHA256 OUTCROP_PCH_SUM "${pch_text} ${CMAKE_CXX_COMPILER_VERSION} ${Boost_VERSION} ${CMAKE_BUILD_TYPE}
  ${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_RELWITHDEBINFO} ${OUTCROP_SANITIZE} ${OUTCROP_FUZZ}")
foreach(pch IN ITEMS outcrop_pch outcrop_test_pch)
  file(WRITE ${PROJECT_BINARY_DIR}/CMakeFiles/${pch}.dir/cmake_pch.hxx.pch.sum "${pch} ${OUTCROP_PCH_SUM}")
endforeach()

file(WRITE ${PROJECT_BINARY_DIR}/pch.cpp "")
add_library(outcrop_pch STATIC ${PROJECT_BINARY_DIR}/pch.cpp)
target_link_libraries(outcrop_pch PRIVATE outcrop_options)
# <pch.h> by an include path: a full path would be written into CMake's generated header.
target_include_directories(outcrop_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake)
target_precompile_headers(outcrop_pch PRIVATE <pch.h>)
target_compile_options(outcrop_pch PRIVATE -Xclang -fno-pch-timestamp)
if(OUTCROP_TESTS OR OUTCROP_FUZZ)
  add_library(outcrop_test_pch STATIC ${PROJECT_BINARY_DIR}/pch.cpp)
  target_link_libraries(outcrop_test_pch PRIVATE outcrop_options GTest::gtest)
  target_include_directories(outcrop_test_pch PRIVATE ${PROJECT_SOURCE_DIR}/cmake)
  target_precompile_headers(outcrop_test_pch PRIVATE <pch.h> <gtest/gtest.h>)
  target_compile_options(outcrop_test_pch PRIVATE -Xclang -fno-pch-timestamp)
endif()
