# libcurl: HTTP with TLS, proxies, redirects and ranges.
find_package(CURL 7.85 REQUIRED)  # CURLOPT_PROTOCOLS_STR
target_link_libraries(ridgeline_hub PRIVATE CURL::libcurl)
target_compile_definitions(ridgeline_hub PRIVATE RIDGELINE_VERSION="${PROJECT_VERSION}")
