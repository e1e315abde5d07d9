// SPDX-License-Identifier: Apache-2.0
//! A runner in Rust, in one file and without a crate: a task of kind `reverse` turns a text around. It builds with
//!     rustc --edition 2021 -O -C lto -C panic=abort --crate-type cdylib -o reverse.so examples/runner_rust/plugin.rs
//!
//! The first half says in Rust what the headers say in C; each struct is pinned to where C has its members, so that a
//! slip does not compile. The second half is the runner.
//!
//! It does without `std`, whose library has a constructor and ends the process when memory is short: a plugin has no
//! constructor, and says -ENOMEM. One that needs `std` runs all the same; then put std::panic::catch_unwind around all
//! that may panic, for no panic may leave a call: the host is C.
#![no_std]
#![allow(non_camel_case_types, non_upper_case_globals)]
#![deny(unsafe_op_in_unsafe_fn)]

use core::ffi::c_void;
use core::mem::{size_of, transmute, MaybeUninit};
use core::ptr::{addr_of, null};

type c_char = i8;

// ---- 1. include/paddock, as far as it is needed here. A table that is only read may end after the last member in use

pub enum pdk_value {}
type Attempt = u64;

#[repr(C)]
pub struct pdk_error {
    struct_size: u32,
    code: i32,
    at: *const pdk_value,
    message: [u8; 512],
    hint: [u8; 256],
}

#[repr(C)]
pub struct pdk_values {
    struct_size: u32,
    reserved: u32,
    data: *mut c_void,
    r#type: unsafe extern "C" fn(*const pdk_value) -> i32,
    count: unsafe extern "C" fn(*const pdk_value) -> usize,
    get: unsafe extern "C" fn(*const pdk_value, *const c_char) -> *const pdk_value,
    at: unsafe extern "C" fn(*const pdk_value, usize) -> *const pdk_value,
    key_at: unsafe extern "C" fn(*const pdk_value, usize) -> *const c_char,
    boolean: unsafe extern "C" fn(*const pdk_value, *mut i32) -> i32,
    integer: unsafe extern "C" fn(*const pdk_value, *mut i64) -> i32,
    number: unsafe extern "C" fn(*const pdk_value, *mut f64) -> i32,
    string: unsafe extern "C" fn(*const pdk_value, *mut *const c_char) -> i32,
}

#[repr(C)]
pub struct pdk_param {
    name: *const c_char,
    r#type: u32,
    flags: u32,
    fallback: *const c_char,
    doc: *const c_char,
    choices: *const *const c_char,
    min: f64,
    max: f64,
    fields: *const pdk_param,
}

#[repr(C)]
pub struct pdk_schema {
    struct_size: u32,
    param_size: u32,
    name: *const c_char,
    doc: *const c_char,
    params: *const pdk_param,
}

#[repr(C)]
pub struct pdk_spec {
    struct_size: u32,
    reserved: u32,
    kind: *const c_char,
    name: *const c_char,
    slot: *const c_char,
    with: *const pdk_value,
}

#[repr(C)]
pub struct pdk_start {
    struct_size: u32,
    number: u32,
    attempt: Attempt,
}

#[repr(C)]
pub struct pdk_result {
    struct_size: u32,
    status: i32,
    category: i32,
    exit_code: i32,
    signal: i32,
    reserved: u32,
    retry_after_ns: u64,
    code: *const c_char,
    message: *const c_char,
    output: *const pdk_value,
    usage: *const c_void,
}

#[repr(C)]
pub struct pdk_host {
    struct_size: u32,
    abi_version: u32,
    name: *const c_char,
    version: *const c_char,
    instance: *const c_char,
    roles: u32,
    reserved: u32,
    data: *mut c_void,
    values: *const pdk_values,
    now_ns: unsafe extern "C" fn(*const pdk_host) -> u64,
    unix_ns: unsafe extern "C" fn(*const pdk_host) -> u64,
    log: unsafe extern "C" fn(*const pdk_host, i32, Attempt, *const c_char),
    health: unsafe extern "C" fn(*const pdk_host, i32, *const c_char),
    stopped: unsafe extern "C" fn(*const pdk_host),
    done: unsafe extern "C" fn(*const pdk_host, Attempt, *const pdk_result) -> i32,
    output: unsafe extern "C" fn(*const pdk_host, Attempt, i32, *const u8, usize) -> i32,
}

type Call = Option<unsafe extern "C" fn(*mut c_void)>;

#[repr(C)]
pub struct pdk_task_ops {
    struct_size: u32,
    reserved: u32,
    start: Option<unsafe extern "C" fn(*mut c_void, *const pdk_start, *mut pdk_error) -> i32>,
    cancel: Option<unsafe extern "C" fn(*mut c_void, i32)>,
    kill: Call,
    resume: Call,
    destroy: Call,
    reload: Option<unsafe extern "C" fn(*mut c_void) -> i32>,
}

#[repr(C)]
pub struct pdk_runner_ops {
    struct_size: u32,
    reserved: u32,
    kinds: *const *const pdk_schema,
    task: *const pdk_task_ops,
    supports: Option<unsafe extern "C" fn(*mut c_void, *const pdk_spec, *mut pdk_error) -> i32>,
    build_task: Option<unsafe extern "C" fn(*mut c_void, *const pdk_spec, *mut *mut c_void, *mut pdk_error) -> i32>,
}

#[repr(C)]
pub struct pdk_plugin {
    magic: u32,
    abi_version: u32,
    struct_size: u32,
    min_host_abi: u32,
    flags: u32,
    reserved: u32,
    name: *const c_char,
    version: *const c_char,
    author: *const c_char,
    description: *const c_char,
    needs: *const *const c_char,
    config: *const pdk_schema,
    runner: *const pdk_runner_ops,
    source: *const c_void,
    metrics: *const c_void,
    create: Option<unsafe extern "C" fn(*const pdk_host, *const pdk_value, *mut *mut c_void, *mut pdk_error) -> i32>,
    start: Option<unsafe extern "C" fn(*mut c_void, *mut pdk_error) -> i32>,
    stop: Call,
    destroy: Call,
    get_extension: Option<unsafe extern "C" fn(*mut c_void, *const c_char) -> *const c_void>,
}

/// Every member lies where C has it: the byte that is marked there is its first one. The numbers are those of
/// test/abi/pins.c, and a test compares them.
macro_rules! pins {
    ($type:ident { $($member:ident $offset:literal),* }) => {
        $(const _: () = {
            let mut bytes = [0u8; size_of::<$type>()];
            bytes[$offset] = 1;
            let whole: MaybeUninit<$type> = unsafe { transmute(bytes) };
            let first = unsafe { *(addr_of!((*whole.as_ptr()).$member) as *const u8) };
            assert!(first == 1, concat!(stringify!($type), ".", stringify!($member), " is not at ", $offset));
        };)*
    };
}

pins!(pdk_error { struct_size 0, code 4, at 8, message 16, hint 528 });
pins!(pdk_values {
    struct_size 0, reserved 4, data 8, r#type 16, count 24, get 32, at 40, key_at 48, boolean 56, integer 64,
    number 72, string 80
});
pins!(pdk_param { name 0, r#type 8, flags 12, fallback 16, doc 24, choices 32, min 40, max 48, fields 56 });
pins!(pdk_schema { struct_size 0, param_size 4, name 8, doc 16, params 24 });
pins!(pdk_spec { struct_size 0, reserved 4, kind 8, name 16, slot 24, with 32 });
pins!(pdk_start { struct_size 0, number 4, attempt 8 });
pins!(pdk_result {
    struct_size 0, status 4, category 8, exit_code 12, signal 16, reserved 20, retry_after_ns 24, code 32,
    message 40, output 48, usage 56
});
pins!(pdk_host {
    struct_size 0, abi_version 4, name 8, version 16, instance 24, roles 32, reserved 36, data 40, values 48,
    now_ns 56, unix_ns 64, log 72, health 80, stopped 88, done 96, output 104
});
pins!(pdk_task_ops { struct_size 0, reserved 4, start 8, cancel 16, kill 24, resume 32, destroy 40, reload 48 });
pins!(pdk_runner_ops { struct_size 0, reserved 4, kinds 8, task 16, supports 24, build_task 32 });
pins!(pdk_plugin {
    magic 0, abi_version 4, struct_size 8, min_host_abi 12, flags 16, reserved 20, name 24, version 32, author 40,
    description 48, needs 56, config 64, runner 72, source 80, metrics 88, create 96, start 104, stop 112,
    destroy 120, get_extension 128
});

// What we make is whole; tables that we only read may be longer.
const _: () = assert!(size_of::<pdk_error>() == 784);
const _: () = assert!(size_of::<pdk_param>() == 64);
const _: () = assert!(size_of::<pdk_schema>() == 32);
const _: () = assert!(size_of::<pdk_result>() == 64);
const _: () = assert!(size_of::<pdk_task_ops>() == 56);
const _: () = assert!(size_of::<pdk_runner_ops>() == 40);
const _: () = assert!(size_of::<pdk_plugin>() == 136);

const ABI_1_0: u32 = 1 << 16;
const STRING: u32 = 4;
const REQUIRED: u32 = 1;
const SUCCESS: i32 = 0;
const STDOUT: i32 = 1;
const ENOMEM: i32 = 12;
const EINVAL: i32 = 22;

// ---- 2. what any plugin in Rust can use

/// A constant that C may read from every thread.
#[repr(transparent)]
pub struct Shared<T>(T);
unsafe impl<T> Sync for Shared<T> {}

macro_rules! text {
    ($text:literal) => {
        concat!($text, "\0").as_ptr() as *const c_char
    };
}

extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(block: *mut c_void);
    fn abort() -> !;
}

/// There is nothing in here that panics; the compiler wants to know all the same.
#[panic_handler]
fn panic(_: &core::panic::PanicInfo) -> ! {
    unsafe { abort() }
}

/// What went wrong: a negative errno, words for the operator, and the value at fault.
type Outcome = Result<(), (i32, &'static str, *const pdk_value)>;

/// Tell C as C wants to be told.
fn tell(err: *mut pdk_error, outcome: Outcome) -> i32 {
    let (code, message, at) = match outcome {
        Ok(()) => return 0,
        Err(fault) => fault,
    };
    if let Some(err) = unsafe { err.as_mut() } {
        err.code = code;
        err.at = at;
        for (to, from) in err.message.iter_mut().zip(message.bytes().chain(Some(0))) {
            *to = from;
        }
    }
    code
}

// ---- 3. the runner

struct Task {
    host: *const pdk_host,
    text: &'static str, // a part of the spec, which lives as long as the task
}

/// The text of a value that the schema has checked.
unsafe fn read_text(values: &pdk_values, value: *const pdk_value) -> Result<&'static str, i32> {
    let mut text: *const c_char = null();
    let code = unsafe { (values.string)(value, &mut text) };
    if code < 0 {
        return Err(code);
    }
    let bytes = unsafe { core::slice::from_raw_parts(text as *const u8, (values.count)(value)) };
    core::str::from_utf8(bytes).map_err(|_| -EINVAL)
}

unsafe fn make_task(host: *const pdk_host, spec: &pdk_spec, ret: *mut *mut c_void) -> Outcome {
    unsafe {
        let values = &*(*host).values;
        let value = (values.get)(spec.with, text!("text"));
        let text = read_text(values, value).map_err(|code| (code, "'text' wants UTF-8", value))?;
        let task = malloc(size_of::<Task>()) as *mut Task;
        if task.is_null() {
            return Err((-ENOMEM, "out of memory", null()));
        }
        task.write(Task { host, text });
        *ret = task as *mut c_void;
    }
    Ok(())
}

unsafe extern "C" fn build_task(
    own: *mut c_void,
    spec: *const pdk_spec,
    ret: *mut *mut c_void,
    err: *mut pdk_error,
) -> i32 {
    tell(err, unsafe { make_task(own as *const pdk_host, &*spec, ret) })
}

/// 0 means that exactly one `done` follows, from any thread, now or later. It is the last thing that an attempt does.
unsafe extern "C" fn start(task: *mut c_void, how: *const pdk_start, _err: *mut pdk_error) -> i32 {
    let (task, attempt) = unsafe { (&*(task as *const Task), (*how).attempt) };
    let host = unsafe { &*task.host };
    let mut letter = [0u8; 4];
    for next in task.text.chars().rev().chain(Some('\n')) {
        let bytes = next.encode_utf8(&mut letter).as_bytes();
        unsafe { (host.output)(host, attempt, STDOUT, bytes.as_ptr(), bytes.len()) };
    }
    let result = pdk_result {
        struct_size: size_of::<pdk_result>() as u32,
        status: SUCCESS,
        category: 0,
        exit_code: 0,
        signal: 0,
        reserved: 0,
        retry_after_ns: 0,
        code: null(),
        message: null(),
        output: null(),
        usage: null(),
    };
    unsafe { (host.done)(host, attempt, &result) };
    0
}

/// It has always ended before anybody can ask.
unsafe extern "C" fn cancel(_task: *mut c_void, _reason: i32) {}

unsafe extern "C" fn destroy_task(task: *mut c_void) {
    unsafe { free(task) };
}

/// An instance, of which there may be several, needs nothing but its host.
unsafe extern "C" fn create(
    host: *const pdk_host,
    _config: *const pdk_value,
    ret: *mut *mut c_void,
    _err: *mut pdk_error,
) -> i32 {
    unsafe { *ret = host as *mut c_void };
    0
}

unsafe extern "C" fn destroy(_own: *mut c_void) {}

// ---- 4. the tables, and the one symbol that is exported

static PARAMS: Shared<[pdk_param; 2]> = Shared([
    pdk_param {
        name: text!("text"),
        r#type: STRING,
        flags: REQUIRED,
        fallback: null(),
        doc: text!("What to turn around"),
        choices: null(),
        min: 1.0,
        max: 1000.0,
        fields: null(),
    },
    pdk_param {
        name: null(),
        r#type: 0,
        flags: 0,
        fallback: null(),
        doc: null(),
        choices: null(),
        min: 0.0,
        max: 0.0,
        fields: null(),
    },
]);

static KIND: Shared<pdk_schema> = Shared(pdk_schema {
    struct_size: size_of::<pdk_schema>() as u32,
    param_size: size_of::<pdk_param>() as u32,
    name: text!("reverse"),
    doc: text!("Turn a text around"),
    params: &PARAMS.0 as *const pdk_param,
});

static KINDS: Shared<[*const pdk_schema; 2]> = Shared([&KIND.0, null()]);

static TASK_OPS: Shared<pdk_task_ops> = Shared(pdk_task_ops {
    struct_size: size_of::<pdk_task_ops>() as u32,
    reserved: 0,
    start: Some(start),
    cancel: Some(cancel),
    kill: None,
    resume: None,
    destroy: Some(destroy_task),
    reload: None,
});

static RUNNER_OPS: Shared<pdk_runner_ops> = Shared(pdk_runner_ops {
    struct_size: size_of::<pdk_runner_ops>() as u32,
    reserved: 0,
    kinds: &KINDS.0 as *const *const pdk_schema,
    task: &TASK_OPS.0,
    supports: None,
    build_task: Some(build_task),
});

#[no_mangle]
pub static pdk_plugin_entry: Shared<pdk_plugin> = Shared(pdk_plugin {
    magic: 0x314B4450,
    abi_version: ABI_1_0,
    struct_size: size_of::<pdk_plugin>() as u32,
    min_host_abi: ABI_1_0,
    flags: 0,
    reserved: 0,
    name: text!("reverse"),
    version: text!("1.0"),
    author: text!(""),
    description: text!("Turns a text around, in Rust"),
    needs: null(),
    config: null(),
    runner: &RUNNER_OPS.0,
    source: null(),
    metrics: null(),
    create: Some(create),
    start: None,
    stop: None,
    destroy: Some(destroy),
    get_extension: None,
});
