# cmake -DOUT=… -DDIR=… -P embed.cmake: the console's files as string literals of one source file.
function(literal file variable)
    file(READ ${DIR}/${file} content)
    string(FIND "${content}" ")sgld\"" clash)
    if(NOT clash EQUAL -1)
        message(FATAL_ERROR "${file} contains the end mark of the literal")
    endif()
    set(${variable} "R\"sgld(${content})sgld\"" PARENT_SCOPE)
endfunction()
literal(console.css css)
literal(console.js js)
literal(openapi.json openapi)
file(WRITE ${OUT} "#include \"lib/web/assets.hpp\"
namespace sgl::web::assets {
const std::string_view stylesheet = ${css};
const std::string_view script = ${js};
const std::string_view openapi = ${openapi};
}
")
