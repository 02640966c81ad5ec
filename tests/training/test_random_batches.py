"""Batches of a fixed number of examples equal those of transformers' Trainer."""

from transformers import Trainer, TrainingArguments

from unidelta.training.random_batches import RandomBatches


def test_the_order_is_that_of_the_trainer(sentences, tmp_path) -> None:
    arguments = TrainingArguments(
        output_dir=str(tmp_path), per_device_train_batch_size=5, seed=11, use_cpu=True, report_to="none"
    )
    trainer = Trainer(model=sentences.make_model(), args=arguments, train_dataset=[{"i": i} for i in range(32)])
    loader = trainer.get_train_dataloader()
    ours = RandomBatches(n_examples=32, batch_size=5, seed=11)
    assert len(ours) == 7
    for epoch in (0, 1, 4):
        loader.set_epoch(epoch)
        assert ours.of_epoch(epoch) == list(loader.batch_sampler)
