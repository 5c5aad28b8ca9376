-- A history of schema 2: one run, cut down from a real one. Frozen: never changed.
PRAGMA application_id = 1883793779;
PRAGMA user_version = 2;
BEGIN TRANSACTION;
CREATE TABLE builds (
        number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, build TEXT NOT NULL,
        python TEXT NOT NULL, platform TEXT NOT NULL, origin TEXT NOT NULL, reported BOOLEAN, more JSON NOT NULL);
INSERT INTO "builds" VALUES(1,1,'tf1','3.7.16','Linux-6.18.44-fc-v657-x86_64-with-debian-12.11','tox environment tf1-cpu',1,'{"effective": {"deterministic": false, "device": "cpu", "dtype_policy": "variables float64, contractions float64", "execution": "graph", "inter_threads": 1, "output_dtype": "float64", "tf32": false, "threads": 1, "versions": {"numpy": "1.18.5", "tensorflow": "1.15.5"}, "xla": false}, "port": {"ehr_mgan": "backends/tf1/ehr_mgan/__init__.py, sha256 304bf0c81466"}, "versions": {"numpy": "1.18.5", "tensorflow": "1.15.5"}}');
INSERT INTO "builds" VALUES(2,1,'torch','3.11.7','Linux-6.18.44-fc-v657-x86_64-with-glibc2.36','tox environment torch-cpu',1,'{"effective": {"cudnn_benchmark": false, "deterministic": false, "device": "cpu", "dtype_policy": "torch.float64", "execution": "eager", "inter_threads": 1, "keeps_freed_memory": true, "mkldnn": true, "output_dtype": "float64", "tf32": false, "threads": 1, "xla": false}, "port": {"ehr_mgan": "backends/torch/ehr_mgan/__init__.py, sha256 adb0baf26034"}, "versions": {"cuda": "None", "numpy": "2.4.6", "torch": "2.13.0+cpu"}}');
INSERT INTO "builds" VALUES(3,1,'tf2','3.11.7','Linux-6.18.44-fc-v657-x86_64-with-glibc2.36','',0,'{"versions": {"keras": "3.15.1", "numpy": "2.4.6", "tensorflow": "2.21.0"}}');
CREATE TABLE hosts (
        number INTEGER PRIMARY KEY, fingerprint TEXT NOT NULL UNIQUE, cpu TEXT NOT NULL, cores INTEGER NOT NULL,
        machine TEXT NOT NULL, system TEXT NOT NULL, accelerator TEXT NOT NULL);
INSERT INTO "hosts" VALUES(1,'0d55ee19627f','AMD EPYC',2,'x86_64','Linux','');
CREATE TABLE jobs (
        number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, job TEXT NOT NULL,
        build TEXT NOT NULL, workload TEXT NOT NULL, kind TEXT NOT NULL, precision TEXT NOT NULL, status TEXT NOT NULL,
        reason TEXT NOT NULL, duration_s FLOAT, more JSON NOT NULL);
INSERT INTO "jobs" VALUES(1,1,'ehr_mgan-tf1-fp64-chain-seed0-bca1c14f','tf1','ehr_mgan','fidelity','fp64','ok','',4.14484497010016639251e+01,'{"log": "jobs/ehr_mgan-tf1-fp64-chain-seed0-bca1c14f/worker.log", "seed": 0}');
INSERT INTO "jobs" VALUES(2,1,'speed-ehr_mgan-fp32-5f99f73a-round004','tf1 tf2 torch','ehr_mgan','speed','fp32','ok','',2.05929854790010722362e+01,'{"log": "jobs/speed-ehr_mgan-fp32-5f99f73a-round004", "seed": 0}');
CREATE TABLE packages (
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, build TEXT NOT NULL, package TEXT NOT NULL,
        version TEXT NOT NULL);
INSERT INTO "packages" VALUES(1,'tf1','numpy','1.18.5');
INSERT INTO "packages" VALUES(1,'tf1','tensorflow','1.15.5');
INSERT INTO "packages" VALUES(1,'torch','cuda','None');
INSERT INTO "packages" VALUES(1,'torch','numpy','2.4.6');
INSERT INTO "packages" VALUES(1,'torch','torch','2.13.0+cpu');
INSERT INTO "packages" VALUES(1,'tf2','keras','3.15.1');
INSERT INTO "packages" VALUES(1,'tf2','numpy','2.4.6');
INSERT INTO "packages" VALUES(1,'tf2','tensorflow','2.21.0');
CREATE TABLE ports (
        run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, build TEXT NOT NULL, workload TEXT NOT NULL,
        path TEXT NOT NULL, source_hash TEXT NOT NULL);
INSERT INTO "ports" VALUES(1,'tf1','ehr_mgan','backends/tf1/ehr_mgan/__init__.py','304bf0c81466');
INSERT INTO "ports" VALUES(1,'torch','ehr_mgan','backends/torch/ehr_mgan/__init__.py','adb0baf26034');
INSERT INTO "ports" VALUES(1,'tf2','ehr_mgan','backends/tf2/ehr_mgan/__init__.py','0dafab71de4f');
CREATE TABLE quality (
        number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE, workload TEXT NOT NULL,
        build TEXT NOT NULL, precision TEXT NOT NULL, preset TEXT NOT NULL, metric TEXT NOT NULL, mean FLOAT, low FLOAT,
        high FLOAT, baseline FLOAT, seeds INTEGER, more JSON NOT NULL);
CREATE TABLE rounds (
        speed INTEGER NOT NULL REFERENCES speed (number) ON DELETE CASCADE, number INTEGER NOT NULL, log_ratio FLOAT,
        a_step_s FLOAT, b_step_s FLOAT, PRIMARY KEY (speed, number)) WITHOUT ROWID;
INSERT INTO "rounds" VALUES(1,0,1.92029994372630685717e-01,6.09941735010579577647e-02,7.39070585004810709506e-02);
INSERT INTO "rounds" VALUES(1,1,0.0953254887732875,5.5558224000378686469e-02,0.0611149820006176);
INSERT INTO "rounds" VALUES(1,2,1.3160607804775148466e-01,5.47742570006448659114e-02,6.24787437482154928147e-02);
INSERT INTO "rounds" VALUES(1,3,1.40844216726425219832e-01,5.36959087485229247249e-02,6.18171619989880127832e-02);
INSERT INTO "rounds" VALUES(1,4,1.62647879772317871527e-01,6.00816784999551600776e-02,7.06934429981629364192e-02);
INSERT INTO "rounds" VALUES(2,0,-2.46421745832544836218e-01,2.15028550155693665146e-03,1.64805062331652152352e-03);
INSERT INTO "rounds" VALUES(2,1,-2.30087215723267846101e-01,1.85827449877251638099e-03,1.47868250041938154026e-03);
INSERT INTO "rounds" VALUES(2,2,-2.48718229949207447759e-01,1.87969049966341117396e-03,1.46146750103071099147e-03);
INSERT INTO "rounds" VALUES(2,3,-1.51046064072213326312e-01,2.09776649899140466004e-03,1.85522974970808718353e-03);
INSERT INTO "rounds" VALUES(2,4,-4.12416873989184029625e-01,2.51009900011922582052e-03,1.62666712367354193702e-03);
CREATE TABLE runs (
        number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, asked TEXT NOT NULL, content TEXT NOT NULL, records INTEGER NOT NULL,
        night TEXT NOT NULL, created TEXT NOT NULL, created_s FLOAT NOT NULL, title TEXT NOT NULL, command TEXT NOT NULL,
        harness_version TEXT NOT NULL, fidelity TEXT NOT NULL, headline TEXT NOT NULL, exit_code INTEGER NOT NULL,
        revision TEXT NOT NULL, folder TEXT NOT NULL, added_s FLOAT NOT NULL, more JSON NOT NULL, host INTEGER REFERENCES hosts (number));
INSERT INTO "runs" VALUES(1,'aa64de99c6c7b2f9','aa64de99c6c7b2f9','bb18177d2d1d0483',7,'2026-11-21','2026-11-21T18:10:55+00:00',1795284655.0,'tf1 torch on ehr_mgan','harness compare --workloads ehr_mgan --backends tf1 tf2 torch --precision fp64 fp32 --preset tiny','0.1.0','PASS','Same function: 6 comparisons agree at every stage that was looked at, within the measured floor. Speed: 3 of 6 comparisons settled.',0,'','/home/somebody/reports/2026-11-21_tf1-tf2-torch_3',1795290000.0,'{"schema": 1, "commit": "", "notes": [], "tapes": {"ehr_mgan/tiny/0": "2144d29ddaee4b7d4b84095929a3ebb75db7d7d85a00511956e3b0de613b264e"}, "curves": [], "spreads": [], "history": []}',1);
CREATE TABLE series (
        number INTEGER PRIMARY KEY, kind TEXT NOT NULL, workload TEXT NOT NULL, preset TEXT NOT NULL, a TEXT NOT NULL,
        b TEXT NOT NULL, precision TEXT NOT NULL, subject TEXT NOT NULL, device TEXT NOT NULL, threads INTEGER NOT NULL,
        execution TEXT NOT NULL, data TEXT NOT NULL, seed INTEGER NOT NULL,
        UNIQUE (kind, workload, preset, a, b, precision, subject, device, threads, execution, data, seed));
INSERT INTO "series" VALUES(1,'fidelity','ehr_mgan','tiny','tf1','torch','fp64','weights','cpu',1,'default','',0);
INSERT INTO "series" VALUES(2,'fidelity','ehr_mgan','tiny','tf1','torch','fp64','forward','cpu',1,'default','',0);
INSERT INTO "series" VALUES(3,'fidelity','ehr_mgan','tiny','tf1','torch','fp64','loss','cpu',1,'default','',0);
INSERT INTO "series" VALUES(4,'fidelity','ehr_mgan','tiny','tf1','torch','fp64','gradients','cpu',1,'default','',0);
INSERT INTO "series" VALUES(5,'speed','ehr_mgan','tiny','tf1','torch','fp32','train','cpu',2,'default','',0);
INSERT INTO "series" VALUES(6,'speed','ehr_mgan','tiny','tf1','torch','fp32','generate','cpu',2,'default','',0);
CREATE TABLE speed (
        number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        series INTEGER NOT NULL REFERENCES series (number), created_s FLOAT NOT NULL, source_hash TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT NOT NULL, ratio FLOAT, low FLOAT, high FLOAT, material BOOLEAN, rounds INTEGER,
        more_rounds INTEGER, more_s FLOAT, a_step_s FLOAT, b_step_s FLOAT, a_rate FLOAT, b_rate FLOAT, a_warmup_s FLOAT,
        b_warmup_s FLOAT, a_build_s FLOAT, b_build_s FLOAT, a_first_step_s FLOAT, b_first_step_s FLOAT, a_peak_bytes INTEGER,
        b_peak_bytes INTEGER, more JSON NOT NULL);
INSERT INTO "speed" VALUES(1,1,5,1795284655.0,'7fa5e372d59dc214','SLOWER','the interval excludes 1 and lies outside the margin of 3 %',1.15545098566112747207e+00,1.07288419946831381501e+00,1.24437192842143296012e+00,1,5,NULL,NULL,5.5558224000378686469e-02,6.24787437482154928147e-02,2.15989625584831657079e+02,1.92065321421299245235e+02,3.86957286300094,1.90884570998605340719e-01,1.15685490499890875071e+00,1.50063410001166630536e-02,2.71271795800203108228e+00,1.69042934998287819325e-01,366080000,346828800,'{"command": "harness compare --workloads ehr_mgan --backends tf1 tf2 torch --precision fp32 --preset tiny --no-fidelity --threads 2", "differences": ["execution: a graph, b eager"], "logs": ["jobs/speed-ehr_mgan-fp32-5f99f73a-round004/tf1.log", "jobs/speed-ehr_mgan-fp32-5f99f73a-round004/torch.log"], "segment": "joint"}');
INSERT INTO "speed" VALUES(2,1,6,1795284655.0,'7fa5e372d59dc214','FASTER','the interval excludes 1 and lies outside the margin of 3 %',7.72797658551344524013e-01,6.35185181361377582121e-01,9.40223793921704742437e-01,1,5,NULL,NULL,2.09776649899140466004e-03,1.62666712367354193702e-03,5.72036973884821691154e+03,7.37704710776972478938e+03,1.15926244599904748611e+00,0.0243693060001533,1.15685490499890875071e+00,1.50063410001166630536e-02,2.77839499904075637459e-03,3.43841799985966645181e-03,366080000,346828800,'{"command": "harness compare --workloads ehr_mgan --backends tf1 tf2 torch --precision fp32 --preset tiny --no-fidelity --threads 2", "differences": ["execution: a graph, b eager"], "logs": ["jobs/speed-ehr_mgan-fp32-5f99f73a-round004/tf1.log", "jobs/speed-ehr_mgan-fp32-5f99f73a-round004/torch.log"]}');
CREATE TABLE stages (
        number INTEGER PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs (number) ON DELETE CASCADE,
        series INTEGER NOT NULL REFERENCES series (number), created_s FLOAT NOT NULL, source_hash TEXT NOT NULL,
        verdict TEXT NOT NULL, reason TEXT NOT NULL, worst TEXT, error FLOAT, floor FLOAT, threshold FLOAT, max_error FLOAT,
        value_a FLOAT, value_b FLOAT, tensors INTEGER, beyond INTEGER, seeds INTEGER, needed INTEGER, first_bad_step INTEGER,
        more JSON NOT NULL);
INSERT INTO "stages" VALUES(1,1,1,1795284655.0,'7fa5e372d59dc214','PASS','78 tensors, all equal','discriminator/continuous/layer1/bias',0.0,1.11022302462515654042e-16,0.0,0.0,0.0,0.0,78,0,0,NULL,NULL,'{"command": "harness compare --workloads ehr_mgan --backends tf1 torch --precision fp64 --preset tiny --seed 0 --threads 1 --no-speed --stages weights", "logs": ["jobs/ehr_mgan-tf1-fp64-chain-seed0-bca1c14f/worker.log", "jobs/ehr_mgan-torch-fp64-chain-seed0-4f9c5f89/worker.log"], "place": "[0]"}');
INSERT INTO "stages" VALUES(2,1,2,1795284655.0,'7fa5e372d59dc214','PASS','53 tensors, largest at 0.063 of its threshold','training/generator/continuous/latent',2.2195786599429894782e-16,2.2195786599429894782e-16,3.53578880528918223754e-15,7.36541705660248397641e-16,5.00004241292455464673e-01,5.00004241292455353651e-01,53,0,0,NULL,NULL,'{"command": "harness compare --workloads ehr_mgan --backends tf1 torch --precision fp64 --preset tiny --seed 0 --threads 1 --no-speed --stages forward", "logs": ["jobs/ehr_mgan-tf1-fp64-chain-seed0-bca1c14f/worker.log", "jobs/ehr_mgan-torch-fp64-chain-seed0-4f9c5f89/worker.log"], "place": "[5, 9, 1]"}');
INSERT INTO "stages" VALUES(3,1,3,1795284655.0,'7fa5e372d59dc214','PASS','50 tensors, largest at 0.16 of its threshold','pretrain/continuous/kl',5.66580174019210120643e-16,3.39948104411526062546e-16,3.62228303174657473555e-15,5.66580174019210120643e-16,1.56761295299049887574e+01,1.56761295299049976392e+01,50,0,0,NULL,NULL,'{"command": "harness compare --workloads ehr_mgan --backends tf1 torch --precision fp64 --preset tiny --seed 0 --threads 1 --no-speed --stages loss", "logs": ["jobs/ehr_mgan-tf1-fp64-chain-seed0-bca1c14f/worker.log", "jobs/ehr_mgan-torch-fp64-chain-seed0-4f9c5f89/worker.log"], "place": "[]"}');
INSERT INTO "stages" VALUES(4,1,4,1795284655.0,'7fa5e372d59dc214','PASS','166 tensors, largest at 0.16 of its threshold','joint/generator 1/discrete/generator/discrete/layer2/U',4.1867043828653352621e-15,2.49208594218174725497e-15,2.65541725483233890235e-14,5.29387201263523589096e-14,8.49722849558663e-06,8.49722849558659431255e-06,166,0,0,NULL,NULL,'{"command": "harness compare --workloads ehr_mgan --backends tf1 torch --precision fp64 --preset tiny --seed 0 --threads 1 --no-speed --stages gradients", "logs": ["jobs/ehr_mgan-tf1-fp64-chain-seed0-bca1c14f/worker.log", "jobs/ehr_mgan-torch-fp64-chain-seed0-4f9c5f89/worker.log"], "place": "[0, 31]"}');
CREATE INDEX runs_asked ON runs (asked);
CREATE INDEX runs_created ON runs (created_s);
CREATE INDEX runs_night ON runs (night);
CREATE INDEX ix_builds_run ON builds (run);
CREATE INDEX ix_packages_run ON packages (run);
CREATE INDEX ix_ports_run ON ports (run);
CREATE INDEX ix_jobs_run ON jobs (run);
CREATE INDEX ix_quality_run ON quality (run);
CREATE INDEX ix_stages_run ON stages (run);
CREATE INDEX stages_series ON stages (series, created_s);
CREATE INDEX ix_speed_run ON speed (run);
CREATE INDEX speed_series ON speed (series, created_s);
COMMIT;
