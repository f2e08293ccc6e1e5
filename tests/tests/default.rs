//! `overfold finetune` with nothing else: the model and the texts that are part of the program.

mod common;

use std::process::Command;

use common::json;

#[test]
fn the_bare_command_does_the_whole_job_wherever_it_is_run() {
    let dir = tempfile::tempdir().unwrap();
    let output = Command::new(common::COMMAND).args(["finetune", "--device", "cpu"]).current_dir(dir.path()).output();
    let output = output.unwrap();
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{out}\n{err}");
    for row in ["before fine-tuning", "plain, epoch", "dynamic, epoch", "folded", "parameters", "latency"] {
        assert!(out.contains(row), "{row} is missing in\n{out}");
    }
    let run = dir.path().join("runs/reviews-dynamic");
    let score = |report: &str| {
        let results = json(&run.join(report))["results"].clone();
        let accuracy = |of: &str| results[of]["scores"]["values"][0][1].as_f64().unwrap();
        (accuracy("last"), results["before"]["values"][0][1].as_f64().unwrap())
    };
    for report in ["run.json", "plain/run.json"] {
        let (accuracy, before) = score(report);
        println!("{report}: {accuracy}, before {before}");
        // Of 400 texts, half of each class: guessing is beyond 0.58 in one run of a thousand.
        assert!(accuracy > 0.6, "{report}: {accuracy}");
    }
    // The result is a model like any other.
    let model = run.join("model");
    let answer = common::succeed(&["predict", "--model", model.to_str().unwrap(), "a warm welcome and a lovely meal"]);
    assert!(answer.contains("positive") && answer.contains("negative"), "{answer}");
}

#[test]
fn the_model_of_the_program_is_a_name_like_any_other() {
    let listed = common::succeed(&["inspect", "--model", "overfold-small"]);
    assert!(listed.contains("encoder.layer.0.attention.self.query.weight"), "{listed}");
    let filled =
        common::succeed(&["predict", "--model", "overfold-small", "--fill-mask", "the capital of france is [MASK] ."]);
    assert!(filled.contains('%'), "{filled}");
}
