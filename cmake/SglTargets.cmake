# The one way to declare a library or a test: targets carry their needs, nothing is global.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)

option(SGL_TESTS "Build the tests" ON)
option(SGL_BENCH "Build the benchmarks" OFF)
option(SGL_WERROR "Warnings are errors" OFF)
option(SGL_FUZZ "Build the libFuzzer targets (clang)" OFF)
set(SGL_SANITIZE "" CACHE STRING "address,undefined | thread | empty")

find_program(SGL_CCACHE ccache)
if(SGL_CCACHE)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${SGL_CCACHE})
    set(CMAKE_C_COMPILER_LAUNCHER ${SGL_CCACHE})
endif()
find_program(SGL_MOLD mold)

# What every compiled file of ours is built with; third-party code gets none of it.
add_library(sgl_build INTERFACE)
target_include_directories(sgl_build INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(sgl_build INTERFACE
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
    SPDLOG_FMT_EXTERNAL SGL_VERSION="${PROJECT_VERSION}")
if(SGL_MOLD)
    target_link_options(sgl_build INTERFACE -fuse-ld=mold)
endif()
if(SGL_SANITIZE)
    target_compile_options(sgl_build INTERFACE -fsanitize=${SGL_SANITIZE} -fno-omit-frame-pointer)
    target_link_options(sgl_build INTERFACE -fsanitize=${SGL_SANITIZE})
    if(SGL_SANITIZE STREQUAL "thread")
        target_compile_definitions(sgl_build INTERFACE BOOST_ASIO_DISABLE_FENCED_BLOCK)
        target_compile_options(sgl_build INTERFACE -Wno-tsan)
    endif()
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        target_compile_options(sgl_build INTERFACE -fno-sanitize=function)
    endif()
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release")
    # SEC-81
    target_compile_options(sgl_build INTERFACE -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2 -D_GLIBCXX_ASSERTIONS
        -fstack-protector-strong -fstack-clash-protection -fcf-protection)
    target_link_options(sgl_build INTERFACE -pie -Wl,-z,relro,-z,now,-z,noexecstack)
endif()

add_library(sgl_warnings INTERFACE)
target_compile_options(sgl_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wold-style-cast -Wnon-virtual-dtor -Woverloaded-virtual $<$<CXX_COMPILER_ID:GNU>:-Wnull-dereference>)
if(SGL_SANITIZE)
    target_compile_options(sgl_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-null-dereference -Wno-maybe-uninitialized>)
elseif(CMAKE_BUILD_TYPE STREQUAL "Release")
    # g++ 12 at -O2 warns inside what it inlined of the standard library and of Boost (a vector's empty storage, a moved
    # coroutine frame): paths that can't be, in lines that are not ours.
    target_compile_options(sgl_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-null-dereference>)
endif()
if(SGL_WERROR)
    target_compile_options(sgl_warnings INTERFACE -Werror)
endif()

# sgl_library(sgl_hl7 SOURCES … HEADERS … DEPENDS sgl_base PRIVATE_DEPENDS …)
function(sgl_library name)
    cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS;DEPENDS;PRIVATE_DEPENDS" ${ARGN})
    if(NOT ARG_SOURCES)
        message(FATAL_ERROR "${name}: a library has sources")
    endif()
    add_library(${name} STATIC ${ARG_SOURCES})
    target_sources(${name} PUBLIC FILE_SET HEADERS BASE_DIRS ${CMAKE_SOURCE_DIR} FILES ${ARG_HEADERS})
    target_link_libraries(${name} PUBLIC sgl_build ${ARG_DEPENDS} PRIVATE sgl_warnings ${ARG_PRIVATE_DEPENDS})
    set_target_properties(${name} PROPERTIES VERIFY_INTERFACE_HEADER_SETS ON)
endfunction()

# sgl_test(hl7_test LABEL unit SOURCES … DEPENDS …)   one binary; each TEST() is one ctest test of that label
function(sgl_test name)
    cmake_parse_arguments(ARG "WHOLE" "LABEL;TIMEOUT" "SOURCES;DEPENDS" ${ARGN})
    add_executable(${name} ${ARG_SOURCES})
    target_link_libraries(${name} PRIVATE ${ARG_DEPENDS} sgl_build sgl_warnings GTest::gmock_main)
    if(NOT ARG_TIMEOUT)
        set(ARG_TIMEOUT 120)
    endif()
    # A unit binary is one ctest entry (a process per test would cost more than the tests).
    add_test(NAME ${name} COMMAND ${name} --gtest_brief=1 WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
    set_tests_properties(${name} PROPERTIES LABELS ${ARG_LABEL} TIMEOUT ${ARG_TIMEOUT})
    if(NOT ARG_LABEL STREQUAL "unit")
        set_tests_properties(${name} PROPERTIES RUN_SERIAL ON)  # servers with time limits: alone on the machine
    endif()
endfunction()
