use super::*;

const SIZE: [usize; 2] = [64, 96];

fn read(hash: &str) -> (State, Vec<String>) {
    State::from_hash(hash, SIZE).unwrap()
}

#[test]
fn the_start_has_an_empty_address() {
    let start = State::new(Source::Query, SIZE).unwrap();
    assert_eq!(start.to_hash(), "");
    assert_eq!(read(""), (start.clone(), vec![]));
    assert_eq!(read("#cut"), (start, vec![]), "a place in the page is no value");
}

#[test]
fn an_address_gives_its_view_back() {
    let hash = "#v=1&matrix=positions&cut=20&guess=9&shape=2,4,8_x_2,6,8&sweep=5&sample=kronecker&chain=8,1*3,8_x_12,1*3,8\
                &bond=3&kind=diagonal&strength=7&keep=40&seed=42&fold=2&rows=768&hide=hero,node&step=5";
    let (state, notes) = read(hash);
    assert_eq!(notes, Vec::<String>::new());
    assert_eq!((state.cut, state.bond, state.seed, state.keep), (20, 3, 42, 40));
    assert_eq!((state.sweep, state.step), (5, Some(5)), "a step of the sweep, and one of the lesson");
    assert_eq!(state.chain.order(), 5);
    assert_eq!(state.to_hash(), hash.replace(' ', ""));
    assert_eq!(read(&state.to_hash()).0, state);
}

#[test]
fn bad_values_are_clamped_and_said() {
    let (state, notes) =
        read("#cut=900&bond=-3&seed=x&chain=8,8x8,8&embed=nowhere&hide=cut,moon&step=0&v=2&matrix=own");
    assert_eq!((state.cut, state.bond, state.seed, state.matrix), (64, 1, 1, Source::Query));
    assert_eq!((state.hide, state.step), (vec!["cut".into()], Some(1)));
    let text = notes.join("\n");
    for part in [
        "cut goes from 0 to 64; 900 became 64.",
        "bond goes from 1",
        "`x` is not",
        "multiply to 64",
        "moon",
        "step goes from 1 to 11; 0 became 1.",
        "version 2",
        "cannot carry",
        "nowhere",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    // What depends on a chain is clamped to that chain, whatever the order in the address.
    let (state, _) = read("#keep=50&bond=2&chain=4,4,4_x_4,6,4");
    assert_eq!((state.bond, state.keep), (2, 16));
}

#[test]
fn unknown_keys_are_kept() {
    let (state, notes) = read("#later=a%20b%C3%A9&cut=3");
    assert!(notes.is_empty());
    assert_eq!(state.to_hash(), "#v=1&cut=3&later=a_b%C3%A9");
}

#[test]
fn a_lesson_goes_step_by_step_until_all_is_shown() {
    let mut state = read("#v=1&step=3").0;
    assert_eq!(state.set("step", "4"), Ok(None));
    assert_eq!((state.step, state.to_hash().as_str()), (Some(4), "#v=1&step=4"));
    assert!(state.set("step", "next").is_err());
    assert_eq!(state.set("step", ""), Ok(None));
    assert_eq!((state.step, state.to_hash().as_str()), (None, ""));
}

#[test]
fn no_text_breaks_the_codec() {
    for hash in ["#%", "#%zz=%", "#&&=&==", "#shape=%FF", "#cut=99999999999999999999", "#shape=1*1000_x_1*1000"] {
        let (state, _) = read(hash);
        assert_eq!(read(&state.to_hash()).0, state, "{hash}");
    }
    let mut state = read("").0;
    assert!(state.set("shape", "64,1*20 x 96,1*20").unwrap_err().contains("21 cores"));
    assert!(state.set("nothing", "1").is_err());
}
