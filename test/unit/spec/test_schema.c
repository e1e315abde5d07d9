/* SPDX-License-Identifier: Apache-2.0 */
/* Schemas of plugins: checked, completed, found unsound, described. */
#include "read.h"

static const char *const methods[] = {"GET", "POST", NULL};
static const pdk_param auth_rows[] = {
    PDK_PARAM("user", PDK_STRING, PDK_REQUIRED, NULL, "Who"),
    PDK_PARAM("password", PDK_STRING, PDK_SECRET, NULL, "Secret"),
    PDK_PARAM("realm", PDK_STRING, 0, "all", "Where"),
    PDK_PARAM_END,
};
static const pdk_param rows[] = {
    PDK_PARAM("url", PDK_STRING, PDK_REQUIRED, NULL, "Where to"),
    {"method", PDK_STRING, 0, "GET", "How", methods, 0.0, 0.0, NULL},
    {"tries", PDK_INT, 0, "3", "How often", NULL, 0.0, 10.0, NULL},
    {"ratio", PDK_NUMBER, 0, "0.5", "How much", NULL, 0.0, 1.0, NULL},
    PDK_PARAM("follow", PDK_BOOL, 0, "true", "Redirects"),
    {"timeout", PDK_DURATION, 0, "30s", "Of one request", NULL, 1.0, 60.0, NULL},
    {"body", PDK_SIZE, 0, "1MiB", "The largest", NULL, 0.0, 1048576.0, NULL},
    PDK_PARAM("tags", PDK_STRINGS, 0, "[a, 'b c', \"d\"]", "Tags"),
    PDK_PARAM("headers", PDK_STRING_MAP, 0, "{Accept: text/plain, X-N: 1}", "Header lines"),
    {"auth", PDK_MAP, 0, NULL, "Basic", NULL, 0.0, 0.0, auth_rows},
    {"users", PDK_LIST, 0, NULL, "More", NULL, 0.0, 2.0, auth_rows},
    PDK_PARAM("any", PDK_ANY, 0, NULL, "Whatever"),
    PDK_PARAM("free", PDK_MAP, 0, NULL, "Whatever is a map"),
    {"name", PDK_STRING, 0, NULL, "Short", NULL, 2.0, 4.0, NULL},
    PDK_PARAM("verb", PDK_STRING, PDK_DEPRECATED, NULL, "say method"),
    PDK_PARAM_END,
};
static const pdk_schema schema = PDK_SCHEMA("http", "Calls a URL", rows);

static const pdk_value *check(const char *text, const char *faults) {
    const pdk_value *value = json(text), *ret = NULL;
    struct pdk_report report = {.limit = 0};
    int32_t rc = pdk_schema_check(&schema, "http", value, &report, &ret);
    assert_faults(&report, faults);
    for (uint32_t i = 0; i < report.count; i++) assert_string_equal(report.faults[i].plugin, "http");
    assert_int_equal(rc, report.errors ? -EINVAL : 0);
    pdk_report_free(&report);
    pdk_values_get()->drop(value);
    return ret;
}

static void absent_rows_read_as_their_fallback(void **state) {
    (void)state;
    const pdk_value *value = check("{'url': 'u'}", "");
    assert_json(value,
                "{'body':'1MiB','follow':true,'headers':{'Accept':'text/plain','X-N':'1'},'method':'GET','ratio':0.5,"
                "'tags':['a','b c','d'],'timeout':'30s','tries':3,'url':'u'}");
    for (size_t i = 0; i < pdk_values_get()->count(value); i++)
        assert_int_equal(pdk_values_get()->at(value, i)->flags & PDK_VALUE_FALLBACK,
                         strcmp(pdk_values_get()->key_at(value, i), "url") ? PDK_VALUE_FALLBACK : 0);
    pdk_values_get()->drop(value);
}

static void scalars_get_the_type_of_their_row(void **state) {
    (void)state;
    const pdk_value *value = check(
        "{'url': 1.10, 'tries': '5', 'ratio': 1, 'follow': 'false', 'tags': 'one', 'headers': {'a': 1, 'b': true},"
        " 'auth': {'user': 7}, 'users': [{'user': 'x', 'realm': 'r'}], 'any': [null], 'free': {'a': {}}}",
        "");
    uint64_t ns = 0;
    assert_json(value, "{'any':[null],'auth':{'realm':'all','user':'7'},'body':'1MiB','follow':false,'free':{'a':{}},'"
                       "headers':{'a':'1','b':'true'},"
                       "'method':'GET','ratio':1.0,'tags':['one'],'timeout':'30s','tries':5,'url':'1.1','users':[{'"
                       "realm':'r','user':'x'}]}");
    assert_int_equal(pdk_values_get()->duration(pdk_values_get()->get(value, "timeout"), &ns), 0);
    assert_int_equal(ns, 30000000000);
    pdk_values_get()->drop(value);
}

static void all_faults_are_told(void **state) {
    (void)state;
    assert_null(check(
        "{'metod': 'GET', 'method': 'gte', 'tries': 11, 'ratio': 'x', 'follow': 'yes', 'timeout': '2m', 'body': '2MiB',"
        " 'tags': {}, 'headers': [1], 'auth': {'user': [], 'pasword': 1}, 'users': [1, {}, {'user': 'x'}], 'name': "
        "'x', 'free': 1}",
        ": unknown field \"metod\" / method?\n"
        ": \"url\" is missing / url: Where to\n"
        "/method: \"gte\" is not one of its values / expected GET or POST\n"
        "/tries: 11 is out of range / expected 0 to 10\n"
        "/ratio: expected a number, found \"x\"\n"
        "/follow: expected true or false, found \"yes\" / write true\n"
        "/timeout: 2m is out of range / expected 1 to 60\n"
        "/body: 2MiB is out of range / expected 0 to 1048576\n"
        "/tags: expected a list of texts, found a map\n"
        "/headers: expected a map, found a list\n"
        "/auth: unknown field \"pasword\" / password?\n"
        "/auth/user: expected text, found a list\n"
        "/users: its length is out of range / expected 0 to 2\n"
        "/users/0: expected a map, found \"1\"\n"
        "/users/1: \"user\" is missing / user: Who\n"
        "/free: expected a map, found \"1\"\n"
        "/name: its length is out of range / expected 2 to 4"));
    assert_null(check("[1]", ": expected a map, found a list"));
    assert_null(check("{'url': null}", "/url: expected text, found nothing / leave the field out"));
}

static void a_deprecated_row_is_a_warning(void **state) {
    (void)state;
    const pdk_value *value = check("{'url': 'u', 'verb': 'x'}", "/verb: \"verb\" is deprecated / say method");
    assert_non_null(value);
    pdk_values_get()->drop(value);
}

static void secrets_are_not_quoted(void **state) {
    (void)state;
    const pdk_value *value = check("{'url': 'u', 'auth': {'user': 'a', 'password': {'file': '/p'}}}", "");
    assert_json(pdk_values_get()->get(value, "auth"), "{'password':{'file':'/p'},'realm':'all','user':'a'}");
    pdk_values_get()->drop(value);
    value = check("{'url': 'u', 'auth': {'user': 'a', 'password': 'hush'}}", "");
    assert_true(pdk_values_get()->get(pdk_values_get()->get(value, "auth"), "password")->flags & PDK_VALUE_SECRET);
    pdk_values_get()->drop(value);
    assert_null(check("{'url': 'u', 'auth': {'user': 'a', 'password': ['hush']}}",
                      "/auth/password: this is not what is wanted here"));
}

static void nothing_may_be_there_without_a_schema(void **state) {
    (void)state;
    const pdk_value *value = json("{'a': 1}"), *ret = NULL;
    struct pdk_report report = {.limit = 0};
    assert_int_equal(pdk_schema_check(NULL, "p", value, &report, &ret), -EINVAL);
    assert_faults(&report, ": unknown field \"a\"");
    pdk_report_free(&report);
    pdk_values_get()->drop(value);
    assert_int_equal(pdk_schema_check(NULL, "p", NULL, NULL, &ret), 0);
    assert_json(ret, "{}");
    pdk_values_get()->drop(ret);
}

static void assert_unsound(const pdk_param *row, const char *wanted) {
    pdk_param table[2] = {*row, PDK_PARAM_END};
    pdk_schema one = PDK_SCHEMA("k", "", table);
    pdk_error err = PDK_ERROR;
    assert_int_equal(pdk_schema_validate(&one, &err), -EINVAL);
    assert_string_equal(err.message, wanted);
}

static void an_unsound_schema_is_refused(void **state) {
    (void)state;
    static const pdk_param bad[] = {
        PDK_PARAM("a", 7, 0, NULL, ""),
        PDK_PARAM("", PDK_INT, 0, NULL, ""),
        {"a", PDK_INT, 0, NULL, "", NULL, 2.0, 1.0, NULL},
        {"a", PDK_INT, 0, NULL, "", NULL, 0.0, 0.0, auth_rows},
        PDK_PARAM("a", PDK_INT, 0, "x", ""),
        PDK_PARAM("a", PDK_DURATION, 0, "30", ""),
        PDK_PARAM("a", PDK_STRINGS, 0, "[a", ""),
        PDK_PARAM("a", PDK_MAP, 0, "{a 1}", ""),
        {"a", PDK_STRING, 0, "PUT", "", methods, 0.0, 0.0, NULL},
        {"a", PDK_INT, 0, "11", "", NULL, 1.0, 10.0, NULL},
    };
    static const char *const wanted[] = {
        "the schema's row \"a\" has an unknown type",
        "the schema's row \"\" has a name that is empty or too long",
        "the schema's row \"a\" has a min above its max",
        "the schema's row \"a\" has fields but is no map",
        "the schema's row \"a\" has a fallback that it would refuse: x",
        "the schema's row \"a\" has a fallback that it would refuse: 30",
        "the schema's row \"a\" has a fallback that it would refuse: [a",
        "the schema's row \"a\" has a fallback that it would refuse: {a 1}",
        "the schema's row \"a\" has a fallback that it would refuse: PUT",
        "the schema's row \"a\" has a fallback that it would refuse: 11",
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) assert_unsound(&bad[i], wanted[i]);
}

static void sizes_and_depths_are_checked(void **state) {
    (void)state;
    static const pdk_param twice[] = {PDK_PARAM("a", PDK_INT, 0, NULL, ""), PDK_PARAM("a", PDK_BOOL, 0, NULL, ""),
                                      PDK_PARAM_END};
    pdk_schema two = PDK_SCHEMA("k", "", twice), small = PDK_SCHEMA("k", "", rows);
    pdk_error err = PDK_ERROR;
    pdk_param deep[2] = {{"deep", PDK_MAP, 0, NULL, "", NULL, 0.0, 0.0, deep}, PDK_PARAM_END}; /* contains itself */
    pdk_schema endless = PDK_SCHEMA("k", "", deep);
    assert_int_equal(pdk_schema_validate(&two, &err), -EINVAL);
    assert_string_equal(err.message, "the schema's row \"a\" is here twice");
    small.param_size = sizeof(pdk_param) - 8;
    assert_int_equal(pdk_schema_validate(&small, NULL), -EINVAL);
    assert_int_equal(pdk_schema_validate(&endless, &err), -EINVAL);
    assert_string_equal(err.message, "the schema's row \"deep\" is nested too deep");
    assert_int_equal(pdk_schema_validate(&schema, &err), 0);
    assert_int_equal(pdk_schema_validate(NULL, &err), 0);
}

/* A plugin of a later minor has longer rows. */
struct longer {
    pdk_param row;
    const char *more;
};

static void rows_may_grow(void **state) {
    (void)state;
    static const struct longer grown[] = {
        {PDK_PARAM("a", PDK_INT, 0, "1", ""), "x"}, {PDK_PARAM("b", PDK_INT, 0, "2", ""), "y"}, {PDK_PARAM_END, NULL}};
    pdk_schema later = PDK_SCHEMA("k", "", &grown[0].row);
    const pdk_value *ret = NULL;
    later.param_size = sizeof(struct longer);
    assert_int_equal(pdk_schema_validate(&later, NULL), 0);
    assert_int_equal(pdk_schema_check(&later, "p", NULL, NULL, &ret), 0);
    assert_json(ret, "{'a':1,'b':2}");
    pdk_values_get()->drop(ret);
    assert_string_equal(pdk_schema_find(&later, "b")->fallback, "2");
    assert_null(pdk_schema_find(&later, "c"));
}

static void it_is_described_as_json_schema(void **state) {
    (void)state;
    const pdk_values *values = pdk_values_get();
    pdk_writer *writer = values->open(values);
    const pdk_value *value = NULL;
    pdk_schema_describe(&schema, values, writer);
    assert_int_equal(values->close(writer, &value, NULL), 0);
    assert_json(values->get(value, "required"), "['url']");
    const pdk_value *properties = values->get(value, "properties");
    assert_int_equal(values->count(properties), COUNT_OF(rows) - 1);
    assert_json(values->get(properties, "method"), "{'description':'How','enum':['GET','POST'],'x-fallback':'GET'}");
    assert_json(values->get(properties, "tries"),
                "{'description':'How often','maximum':10,'minimum':0,'type':'integer','x-fallback':'3'}");
    assert_json(values->get(properties, "verb"),
                "{'deprecated':true,'description':'say method','type':['string','number','boolean']}");
    assert_json(values->get(values->get(properties, "users"), "items"),
                "{'additionalProperties':false,'properties':{'password':{'additionalProperties':false,'description':'"
                "Secret','maxProperties':1,'minProperties':1,"
                "'properties':{'credential':{'type':'string'},'env':{'type':'string'},'file':{'type':'string'}},'type':"
                "['string','number','boolean','object'],'writeOnly':true},"
                "'realm':{'description':'Where','type':['string','number','boolean'],'x-fallback':'all'},'user':{'"
                "description':'Who','type':['string','number','boolean']}},"
                "'required':['user'],'type':'object'}");
    values->drop(value);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_rows_read_as_their_fallback),
        cmocka_unit_test(scalars_get_the_type_of_their_row),
        cmocka_unit_test(all_faults_are_told),
        cmocka_unit_test(a_deprecated_row_is_a_warning),
        cmocka_unit_test(secrets_are_not_quoted),
        cmocka_unit_test(nothing_may_be_there_without_a_schema),
        cmocka_unit_test(an_unsound_schema_is_refused),
        cmocka_unit_test(sizes_and_depths_are_checked),
        cmocka_unit_test(rows_may_grow),
        cmocka_unit_test(it_is_described_as_json_schema),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
